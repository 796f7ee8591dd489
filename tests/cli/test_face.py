"""Faces: enrolled, listed, searched and removed, in a local cloud, from real portraits."""

import errno
import shutil
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from streamctl.media import images

av = pytest.importorskip("av")

NUMBERS = count()


@pytest.fixture
def collection(streamctl_, in_cloud):
    """An empty collection of this test's own."""
    name = f"faces-{next(NUMBERS)}"
    streamctl_(f"collection create {name}")
    yield name
    streamctl_(f"collection delete {name}")


@pytest.fixture(scope="module")
def collins(portraits):
    return portraits / "eileen-collins.jpg"


@pytest.fixture(scope="module")
def hopper(portraits):
    return portraits / "grace-hopper.jpg"


def save(path, picture):
    context = av.CodecContext.create("png", "w")
    context.height, context.width = picture.shape[:2]
    context.pix_fmt = "rgb24"
    context.time_base = 1
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    packets = context.encode(frame) + context.encode(None)
    path.write_bytes(b"".join(bytes(packet) for packet in packets))
    return path


@pytest.fixture(scope="module")
def two_people(tmp_path_factory, collins, hopper):
    """Both portraits side by side."""
    left, right = (images.read(path.read_bytes(), 600) for path in (collins, hopper))
    height = min(left.shape[0], right.shape[0])
    both = np.hstack([left[:height], right[:height]])
    return save(tmp_path_factory.mktemp("two") / "two.png", both)


@pytest.fixture(scope="module")
def nobody(tmp_path_factory):
    """A picture without a face."""
    grey = np.full((300, 300, 3), 128, dtype=np.uint8)
    return save(tmp_path_factory.mktemp("none") / "wall.png", grey)


def faces(client, collection):
    found = client("rekognition").list_faces(CollectionId=collection)["Faces"]
    return sorted(face["ExternalImageId"] for face in found)


def test_a_person_is_enrolled_found_and_removed(streamctl_, collection, client, collins, hopper):
    """The whole way: enrolled under a name, recognised, told from another, and gone."""
    said = streamctl_(
        "face", "enrol", "--collection", collection, "--person", "ann.lee", str(collins), "-ojson"
    )
    assert said.code == 0
    (enrolled,) = said.json
    assert set(enrolled) == {"person", "face_id", "confidence", "file"}
    assert enrolled["person"] == "ann.lee"
    assert faces(client, collection) == ["ann.lee"]

    (listed,) = streamctl_(f"face list --collection {collection} -o json").json
    assert listed["face_id"] == enrolled["face_id"]

    found = streamctl_("face", "search", "--collection", collection, str(collins), "-o", "json")
    assert found.code == 0
    assert found.json[0]["person"] == "ann.lee"
    assert found.json[0]["similarity"] > 95

    other = streamctl_("face", "search", "--collection", collection, str(hopper), "-o", "json")
    assert (other.code, other.out) == (3, "[]\n")
    assert "no match" in other.err

    gone = streamctl_(f"face remove --collection {collection} --person ann.lee -o json")
    assert gone.json[0]["face_id"] == enrolled["face_id"]
    assert faces(client, collection) == []


def test_a_folder_enrols_everybody_in_it(streamctl_, collection, client, collins, hopper, tmp_path):
    """A subfolder's name is a person's, and so is a file's; what is no image is left out."""
    (tmp_path / "ann").mkdir()
    shutil.copy(collins, tmp_path / "ann" / "1.JPG")
    shutil.copy(hopper, tmp_path / "grace.jpg")
    (tmp_path / "notes.txt").write_text("not a picture")
    said = streamctl_("face", "enrol", "--collection", collection, str(tmp_path))
    assert said.code == 0
    assert said.err == "2 of 2 stills enrolled\n"
    assert faces(client, collection) == ["ann", "grace"]
    assert streamctl_(f"face remove --collection {collection} --person ann").code == 0
    assert faces(client, collection) == ["grace"]


def test_a_bad_still_spares_the_others_and_is_counted(
    streamctl_, collection, client, collins, two_people, nobody
):
    """Those that can be are enrolled; each of the rest is said, and the exit code is 1."""
    paths = [str(path) for path in (nobody, collins, two_people)]
    said = streamctl_("face", "enrol", "--collection", collection, *paths)
    assert said.code == 1
    assert f"not enrolled: {nobody} shows no face" in said.err
    assert f"not enrolled: {two_people} shows 2 faces" in said.err
    assert said.err.endswith("error: 2 of 3 stills could not be enrolled\n")
    assert faces(client, collection) == ["eileen-collins"]


def test_a_still_without_a_face_is_refused(streamctl_, collection, client, nobody):
    """Nothing is enrolled, and nobody is found in it."""
    said = streamctl_("face", "enrol", "--collection", collection, str(nobody))
    assert said.code == 1
    assert "shows no face" in said.err
    assert faces(client, collection) == []
    searched = streamctl_("face", "search", "--collection", collection, str(nobody))
    assert searched.code == 1
    assert "shows no face" in searched.err


def test_a_still_with_two_faces_is_refused(streamctl_, collection, client, two_people):
    """Whose face would it be? Nothing is left in the collection."""
    said = streamctl_("face", "enrol", "--collection", collection, str(two_people))
    assert said.code == 1
    assert "shows 2 faces" in said.err
    assert "crop it" in said.err
    assert faces(client, collection) == []


def test_the_real_still_with_two_faces_is_refused(streamctl_, collection, client, shared_data):
    """A photograph, not a montage."""
    path = shared_data / "faces" / "two_people.jpg"
    assert streamctl_("face", "enrol", "--collection", collection, str(path)).code == 1
    assert faces(client, collection) == []


def test_what_is_no_image_is_refused(streamctl_, collection, tmp_path):
    """A text file that is called .jpg, an empty one, one that AWS would not take."""
    for content, about in (
        (b"not a picture", "neither a JPEG nor a PNG"),
        (b"", "neither a JPEG nor a PNG"),
        (b"\xff\xd8\xff" + bytes(5 * 1024 * 1024), "larger than 5 MiB"),
    ):
        path = tmp_path / "face.jpg"
        path.write_bytes(content)
        said = streamctl_("face", "enrol", "--collection", collection, str(path))
        assert said.code == 1
        assert about in said.err


def test_a_damaged_image_is_no_bug(streamctl_, collection, collins, tmp_path):
    """Cut off after its header: it is the image that is blamed, not the face in it."""
    path = tmp_path / "face.jpg"
    path.write_bytes(collins.read_bytes()[:2000])
    for verb in ("enrol", "search"):
        said = streamctl_("face", verb, "--collection", collection, str(path))
        assert said.code == 1
        assert f"error: {path} cannot be used" in said.err
        assert "Errno" not in said.err
        assert len(said.err.splitlines()) == 2


def test_a_damaged_image_spares_the_others(streamctl_, collection, client, collins, tmp_path):
    """And so does one that nobody may read."""
    (tmp_path / "a.jpg").write_bytes(collins.read_bytes()[:2000])
    shutil.copy(collins, tmp_path / "b.jpg")
    said = streamctl_("face", "enrol", "--collection", collection, str(tmp_path))
    assert said.code == 1
    assert f"not enrolled: {tmp_path / 'a.jpg'} cannot be used" in said.err
    assert said.err.endswith("error: 1 of 2 stills could not be enrolled\n")
    assert faces(client, collection) == ["b"]


def test_what_was_enrolled_before_trouble_is_told(
    streamctl_, collection, client, in_cloud, collins, hopper
):
    """It stays in the collection, so whoever tries again must know."""
    in_cloud.fault("rekognition.IndexFaces", delay_s=0.001)  # the first goes through
    in_cloud.fault("rekognition.IndexFaces", code="AccessDeniedException")
    try:
        said = streamctl_(
            "face", "enrol", "--collection", collection, str(collins), str(hopper), "-o", "json"
        )
    finally:
        in_cloud.faults_clear()
    assert said.code == 6
    assert [row["person"] for row in said.json] == ["eileen-collins"]
    assert said.err.startswith("1 of 2 stills enrolled\nerror: enrolling grace-hopper")
    assert faces(client, collection) == ["eileen-collins"]


def test_a_folder_that_nobody_may_read_is_no_bug(streamctl_, collection, tmp_path, monkeypatch):
    """One line.

    What lists a folder is replaced, since nothing is forbidden to root.
    """

    def forbidden(_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", forbidden)
    said = streamctl_("face", "enrol", "--collection", collection, str(tmp_path))
    assert said.code == 1
    assert said.err.startswith(f"error: {tmp_path} cannot be read: Permission denied\n")


def test_a_face_that_aws_keeps_is_not_called_removed(
    streamctl_, collection, client, collins, monkeypatch
):
    """Faces are personal data: whoever erases them must know what is left.

    What removes them is replaced, since the local cloud has no users who could hold on to a face.
    """
    streamctl_("face", "enrol", "--collection", collection, "--person", "ann", str(collins))
    monkeypatch.setattr("streamctl.aws.collections.remove", lambda *_: [])
    said = streamctl_(f"face remove --collection {collection} --person ann")
    assert said.code == 1
    assert f"1 of 1 faces are still in collection {collection}" in said.err


def test_an_empty_folder_has_nobody_to_enrol(streamctl_, collection, tmp_path):
    """Asked wrongly, with what an image is."""
    said = streamctl_("face", "enrol", "--collection", collection, str(tmp_path))
    assert said.code == 2
    assert ".png" in said.err


@pytest.mark.parametrize("given", [["--person", "ann lee"], []])
def test_a_person_with_a_space_is_refused_with_the_rule(
    streamctl_, collection, client, collins, tmp_path, given
):
    """Named by option or by file; nothing is enrolled."""
    shutil.copy(collins, tmp_path / "ann lee.jpg")
    said = streamctl_("face", "enrol", "--collection", collection, *given, str(tmp_path))
    assert said.code == 2
    assert "'ann lee' cannot be the name of a person" in said.err
    assert said.err.startswith("error: 'ann lee'" if given else f"error: {tmp_path}/ann lee.jpg: ")
    assert faces(client, collection) == []


def test_a_bad_file_name_spares_the_others(streamctl_, collection, client, collins, tmp_path):
    """One among many is no reason to enrol nobody."""
    shutil.copy(collins, tmp_path / "ann.jpg")
    shutil.copy(collins, tmp_path / "bad $name é.jpg")
    said = streamctl_("face", "enrol", "--collection", collection, str(tmp_path))
    assert said.code == 1
    refused = f"not enrolled: {tmp_path}/bad $name é.jpg: 'bad $name é' cannot be the name"
    assert refused in said.err
    assert "or --person\n" in said.err
    assert said.err.endswith("error: 1 of 2 stills could not be enrolled\n")
    assert faces(client, collection) == ["ann"]


@pytest.mark.parametrize("verb", ["list", "enrol", "search", "remove"])
def test_an_unknown_collection_is_not_found(streamctl_, in_cloud, collins, verb):
    """With the command that makes it."""
    rest = {"enrol": [str(collins)], "search": [str(collins)], "remove": ["--person", "x"]}
    said = streamctl_("face", verb, "--collection", "missing", *rest.get(verb, []))
    assert said.code == 4
    assert "hint: streamctl collection create missing" in said.err


def test_removing_somebody_who_is_not_there_removes_nobody(streamctl_, collection, client, collins):
    """Neither by name nor by face id, also when others are named with them."""
    streamctl_("face", "enrol", "--collection", collection, "--person", "ann", str(collins))
    both = streamctl_(f"face remove --collection {collection} --person ann --person bob")
    assert both.code == 4
    assert "has no person bob" in both.err
    by_id = streamctl_(f"face remove --collection {collection} --face-id 0 --person ann")
    assert by_id.code == 4
    assert faces(client, collection) == ["ann"]
    assert streamctl_(f"face remove --collection {collection}").code == 2


def test_a_threshold_is_a_number(streamctl_, portraits):
    still = str(portraits / "eileen-collins.jpg")
    refused = streamctl_("face", "search", "--collection", "a", "--threshold", "nan", still)
    assert (refused.code, "'nan' is no number" in refused.err) == (2, True)
