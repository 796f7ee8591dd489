"""Events as the core makes them, in stories and runs that chance leads everywhere."""

from datetime import timedelta

from streamctl.core import documents, folding
from streamctl.core.folding import Story
from streamctl.core.liveness import Status
from streamctl.core.policy import OnEnd, Policy
from streamctl.core.sightings import UNKNOWN
from streamctl.core.telling import RunRef
from streamctl.core.watch import Attention, Rule, Watch
from tests.core.frames_shown import RUN, arrival
from tests.core.scene import CAMERA, at
from tests.core.teardown_world import IDLE, World

RULES = (
    Rule(Attention.ALERT, person=UNKNOWN),
    Rule(Attention.ALLOW, person="ada"),
    Rule(Attention.IGNORE, person="bob"),
)


def of_a_story(lots):
    """What is told of one camera: frames in any order, some twice, some far too late."""
    watch = Watch(
        rules=tuple(lots.sample(RULES, lots.randint(0, 3))),
        same=lots.choice([None, {"bob": "ada"}]),
        cooldown=timedelta(seconds=lots.choice([0, 60])),
    )
    story, told, now = Story(CAMERA), [], 0.0
    seconds = lots.sample(range(lots.choice([50, 100, 200])), lots.randint(2, 40))
    frames = [_frame(second, lots) for second in seconds]
    lots.shuffle(frames)
    while frames:
        batch, frames = frames[:3], frames[lots.randint(1, 3) :]
        now += lots.choice([0, 1, 20])
        run = lots.choice([RUN, RunRef(pictures=RUN.pictures), RunRef()])
        story = folding.fold(folding.close(story, at(now), run, watch), batch, run, at(now), watch)
        told += story.outbox
        story = documents.loads(Story, documents.dumps(folding.published(story)))
    return [*told, *folding.close_all(story, RUN, watch).outbox]


def _frame(second, lots):
    people = lots.choice([(), ("ada",), ("ada", "bob"), ("cleo",)])
    return arrival(second, *people, unknown=lots.choice([0, 2]), similarity=lots.uniform(80, 99))


def of_runs(lots):
    """What is told of one camera's runs, and the world that they were in."""
    world = World(
        status=lots.choice([Status.STARTING, Status.RUNNING, Status.FAILED]),
        video=lots.choice([None, 0.0]),
        arrival=lots.choice([None, 0.0]),
        policy=Policy(IDLE, lots.choice(list(OnEnd)), lots.choice([None, timedelta(minutes=5)])),
        by_stack=lots.random() < 0.2,
    )
    now = 1.0
    for _ in range(lots.randint(3, 60)):
        lots.choices(*zip(*MOVES, strict=True))[0](world, now, lots)
        now += lots.choice([0.25, 2, 20, 130, 700])
        world.look(now)
    world.until(now, now + 2000)
    return world


def _flow(world, now, lots):
    world.video, world.arrival = now, lots.choice([world.arrival, now])


def _turn(world, now, lots):
    """To any status, with or without a change that Describe tells of."""
    world.status = lots.choice(list(Status))
    world.updated = lots.choice([world.updated, at(now)])


def _anew(world, now, lots):
    world.status, world.created, world.updated = Status.STARTING, at(now), at(now)


def _delete(world, now, lots):
    world.status = None


def _lose_camera(world, now, lots):
    world.camera = False


def _nothing(world, now, lots):
    pass


MOVES = (
    (_nothing, 10),
    (_flow, 10),
    (_turn, 4),
    (_anew, 2),
    (_delete, 1),
    (_lose_camera, 0.5),
)
