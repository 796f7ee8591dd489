"""A file is played as a real camera would send it: fragments from key frame to key frame."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamctl.errors import MediaError, Unsuitable
from streamctl.media import camera, mkv
from streamctl.media.recording import Recording

BEGAN_MS = 1_795_200_966_544


@pytest.fixture
def recorded(tmp_path, matroska):
    """A file of these clusters."""

    def write(*clusters):
        path = tmp_path / "a.mkv"
        path.write_bytes(matroska.head() + b"".join(clusters))
        return path

    return write


def sent(path):
    """What a camera playing the file sends, whole, and when each piece is due."""
    survey = camera.survey(path)
    body, due = camera.opening(survey.track), []
    for shot in camera.play(Recording(path)):
        for piece in camera.pieces(shot, BEGAN_MS):
            body += piece.data
            due.append(piece.due_s)
    return body, due


def starts(path):
    return [shot.starts_ms for shot in camera.play(Recording(path))]


def test_fragments_are_cut_at_key_frames(shared_data):
    """Two of the five clusters of this real recording begin without one."""
    path = shared_data / "video/bezos_vogels.mkv"
    survey = camera.survey(path)
    assert (survey.fragments, survey.frames, survey.first_s) == (3, 546, 0.834)
    assert survey.length_s == pytest.approx(18.2, abs=0.05)
    fragments = list(mkv.fragments([sent(path)[0]]))
    assert [len(fragment.frames) for fragment in fragments] == [151, 250, 145]
    assert all(fragment.frames[0].keyframe for fragment in fragments)


def test_producer_times_are_absolute_and_keep_the_files_distances(shared_data):
    """The first frame is now; the others as far behind it as they are in the file."""
    fragments = list(mkv.fragments([sent(shared_data / "video/bezos_vogels.mkv")[0]]))
    begins = [fragment.opened.timecode_ms - BEGAN_MS for fragment in fragments]
    assert begins == [0, 5873 - 834, 14214 - 834]
    assert all(each.frames[0].time_ms == each.opened.timecode_ms for each in fragments)


def test_what_is_sent_can_be_decoded_to_the_last_frame(shared_data, tmp_path):
    """FFmpeg itself reads it back: every frame, with the codec's parameters in the header."""
    av = pytest.importorskip("av", reason="needs the [media] extra")
    path = tmp_path / "sent.mkv"
    path.write_bytes(sent(shared_data / "video/bezos_vogels.mkv")[0])
    with av.open(str(path)) as file:
        assert sum(1 for _ in file.decode(video=0)) == 546


def test_a_frame_is_due_when_it_was_taken(recorded, matroska):
    """In real time, from the first frame on."""
    path = recorded(matroska.cluster(700, 0, 40, 80), matroska.cluster(2700, 0, 40))
    _, due = sent(path)
    assert due == [0.0, 0.04, 0.08, 2.0, 2.04]


def test_each_frame_is_a_piece_of_its_own(recorded, matroska):
    """So that a reader sees it while its fragment is still being sent."""
    path = recorded(matroska.cluster(0, 0, 40, 80))
    (shot,) = camera.play(Recording(path))
    reader = mkv.Reader()
    reader.feed(camera.opening(camera.survey(path).track))
    seen = [reader.feed(piece.data) for piece in camera.pieces(shot, BEGAN_MS)]
    assert [event.time_ms - BEGAN_MS for event in seen[0] if isinstance(event, mkv.Frame)] == [0]
    assert [event.time_ms - BEGAN_MS for event in seen[1]] == [40]
    assert [event.time_ms - BEGAN_MS for event in seen[2]] == [80]


def test_reordered_frames_keep_their_order_and_are_due_after_what_they_need(encode):
    """A picture that others refer to is sent first, though shown later; nothing is due backwards."""
    path = encode("a.mp4", bf="3", preset="veryfast")
    body, due = sent(path)
    times = [frame.time_ms for fragment in mkv.fragments([body]) for frame in fragment.frames]
    assert times != sorted(times)
    assert due == sorted(due)
    shown = sorted(time - times[0] for time in times)
    assert shown == [40 * index for index in range(75)]
    for time, when in zip(times, due, strict=True):
        assert when * 1000 >= time - times[0]


def test_key_frames_closer_than_a_second_do_not_cut(encode):
    """Kinesis Video takes fragments of a second and more, five a second at most."""
    path = encode("a.mkv", g="5")
    assert starts(path) == [0, 1000, 2000]


def test_what_stands_before_the_first_key_frame_is_left_out(recorded, matroska):
    """It cannot be decoded; a recording may have begun anywhere."""
    path = recorded(matroska.cluster(0, 0, 40, key=False), matroska.cluster(80, 0, 40))
    (shot,) = camera.play(Recording(path))
    assert shot.file_ms == 80
    assert len(shot.frames) == 2


def test_a_fragment_that_the_file_breaks_off_in_is_not_sent(shared_data, tmp_path):
    """The whole ones are, and the survey says why it is not all."""
    path = tmp_path / "cut.mkv"
    path.write_bytes((shared_data / "video/bezos_vogels.mkv").read_bytes()[:1_500_000])
    survey = camera.survey(path)
    assert (survey.fragments, survey.frames) == (1, 151)
    assert "cut off" in survey.damage
    assert [len(fragment.frames) for fragment in mkv.fragments([sent(path)[0]])] == [151]


def test_a_file_without_one_whole_fragment_is_refused(recorded, matroska):
    """There would be nothing to send."""
    with pytest.raises(MediaError, match="no whole fragment: cut off"):
        camera.survey(recorded(matroska.cluster(0, 0, 40)[:-3]))
    with pytest.raises(MediaError, match="no key frame"):
        camera.survey(recorded(matroska.cluster(0, 0, 40, key=False)))


def test_twenty_seconds_between_key_frames_pass_and_more_is_refused(recorded, matroska):
    """The longest fragment that a camera takes; the cure is a line to copy."""
    fine = recorded(matroska.cluster(0, 0, 19_960), matroska.cluster(20_000, 0, 40))
    assert starts(fine) == [0, 20_000]
    with pytest.raises(Unsuitable, match="longer than 20 s") as refused:
        camera.survey(
            recorded(matroska.cluster(0, 0, 19_960), matroska.cluster(20_040, 0, key=False))
        )
    assert "ffmpeg -i INPUT" in refused.value.hint


def test_fifty_megabytes_in_a_fragment_are_refused(recorded, matroska):
    """The largest that a camera takes."""
    large = b"\0" * 17_000_000
    path = recorded(
        matroska.cluster(0, 0, 40, data=large), matroska.cluster(80, 0, key=False, data=large)
    )
    with pytest.raises(Unsuitable, match="larger than"):
        camera.survey(path)


def test_a_frame_shown_long_before_its_fragment_is_refused(recorded, matroska):
    """Matroska has 16 bits for it; wrapping around would show it a minute late."""
    path = recorded(matroska.cluster(40_000, 0), matroska.cluster(0, 0, key=False))
    with pytest.raises(Unsuitable, match="before its fragment"):
        camera.survey(path)


def test_times_that_start_again_follow_on(recorded, matroska):
    """Producer times must increase, or the camera refuses them."""
    path = recorded(matroska.cluster(8000, 0, 40, 80), matroska.cluster(0, 0, 40))
    assert starts(path) == [0, 120]


def test_a_gap_is_kept_and_one_too_long_to_idle_is_not(recorded, matroska):
    """The service closes a connection after 30 s of silence."""
    path = recorded(
        matroska.cluster(0, 0, 40), matroska.cluster(15_000, 0, 40), matroska.cluster(9_000_000, 0)
    )
    assert starts(path) == [0, 15_000, 15_080]


def test_the_header_is_readable_and_without_an_end(recorded, matroska):
    """A segment of unknown size in milliseconds, with the track as it was in the file."""
    survey = camera.survey(recorded(matroska.cluster(0, 0, 40)))
    (fragment,) = mkv.fragments([camera.opening(survey.track) + matroska.cluster(5, 0)])
    assert fragment.opened.tracks == (survey.track,)
    assert fragment.opened.timecode_ms == 5


@given(
    clusters=st.lists(
        st.tuples(st.integers(0, 60_000), st.integers(1, 5), st.booleans()), min_size=1, max_size=12
    )
)
def test_whatever_the_files_times_what_is_sent_goes_forward(tmp_path_factory, matroska, clusters):
    """Fragments begin with a key frame, their timecodes increase, none is longer than 20 s."""
    path = tmp_path_factory.mktemp("any") / "a.mkv"
    path.write_bytes(
        matroska.head()
        + b"".join(
            matroska.cluster(time, *range(0, 40 * frames, 40), key=key)
            for time, frames, key in clusters
        )
    )
    try:
        body, due = sent(path)
    except (MediaError, Unsuitable):
        return
    fragments = list(mkv.fragments([body]))
    begins = [fragment.opened.timecode_ms for fragment in fragments]
    assert begins == sorted(set(begins))
    assert due == sorted(due)
    assert all(fragment.frames[0].keyframe for fragment in fragments)
    for fragment in fragments:
        last = max(frame.time_ms for frame in fragment.frames)
        assert last - fragment.opened.timecode_ms <= 20_000
