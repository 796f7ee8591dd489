"""What is installed has what it deploys."""

import zipfile

from hatchling.builders.wheel import WheelBuilder

from tests.cloudformation.test_templates import FOLDER


def test_the_wheel_holds_every_template(tmp_path):
    """As they are here, built as pip builds it: where `bundle.template` looks for them."""
    (wheel,) = WheelBuilder(str(FOLDER.parent)).build(
        directory=str(tmp_path), versions=["standard"]
    )
    with zipfile.ZipFile(wheel) as archive:
        held = {
            name.rpartition("/")[2]: archive.read(name)
            for name in archive.namelist()
            if name.startswith("streamctl/_deploy/cloudformation/")
        }
    assert held == {path.name: path.read_bytes() for path in FOLDER.glob("*.yaml")}
    assert "subscriber-webhook.yaml" in held
