"""The distribution: what is in it, and that it runs outside the repository."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {"ledger", "consensus", "p2p", "scenarios"}


def run(*command, cwd, env=None):
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, (
        f"{command}: exit {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    )
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built from the sdist, as an installer would from an index."""
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT), cwd=out)
    (built,) = out.glob("*.whl")
    return built


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_wheel_has_the_four_packages_at_its_top_and_their_data(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == PACKAGES
    assert "scenarios/library/nafta-certificate.yaml" in names
    assert "scenarios/library/scenario.schema.json" in names
    here = {str(path.relative_to(ROOT)) for path in (ROOT / "scenarios" / "library").iterdir()}
    assert here <= set(names)
    for package in PACKAGES:
        modules = {
            str(path.relative_to(ROOT))
            for path in (ROOT / package).rglob("*.py")
            if "__pycache__" not in path.parts
        }
        assert modules <= set(names)
    assert not [name for name in names if name.startswith(("tests/", "docs/"))]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_installed_wheel_runs_outside_the_repository(wheel, tmp_path):
    """Installed by itself (its dependencies come from this environment), it runs the main job."""
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=False)
    python = environment / "bin" / "python"
    site = Path(run(str(python), "-c", "import site; print(site.getsitepackages()[0])", cwd=tmp_path).strip())
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    outer = [path for path in sys.path if path.endswith("site-packages")]
    (site / "dependencies.pth").write_text("\n".join(outer))
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    where = run(str(python), "-c", "import scenarios; print(scenarios.__file__)", cwd=tmp_path, env=env)
    assert where.startswith(str(site))
    told = run(
        str(python), "-m", "scenarios", "run", "nafta-certificate", "--seed", "1", cwd=tmp_path, env=env
    )
    assert "verdict    passed" in told
    assert (tmp_path / "runs" / "nafta-certificate" / "latest" / "verdict.json").exists()
