"""Settings: what is sound is read, what is not is named, all at once, without giving a secret away."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.config import BadSettings, Config, Fault, load, production, resolved
from kiosk.config.faults import shown
from kiosk.config.lines import locate
from kiosk.errors import ConfigError
from kiosk.sandbox import pki
from kiosk.sandbox.receiver import Receiver
from tests.unit import installation


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return installation.lay_out_drivers(tmp_path / "root")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    return folder


def read(site: Path, root: Path, text: str) -> Config:
    (site / "config.toml").write_text(text, encoding="utf-8")
    return load(site / "config.toml", root)


def faults(site: Path, root: Path, text: str) -> dict[str, Fault]:
    with pytest.raises(BadSettings) as caught:
        read(site, root, text)
    assert isinstance(caught.value, ConfigError)
    assert len(caught.value.faults) == len(caught.value.found)
    return {fault.key: fault for fault in caught.value.found}


def test_an_empty_file_gives_the_defaults(site: Path, root: Path) -> None:
    assert read(site, root, "") == resolved(Config(), site)


@pytest.mark.parametrize("name", Config.model_fields)
def test_settings_that_were_read_never_change(site: Path, root: Path, name: str) -> None:
    config = read(site, root, "")
    section = getattr(config, name)
    key, value = next(iter(section))
    with pytest.raises(ValueError, match="frozen"):
        setattr(section, key, value)
    with pytest.raises(ValueError, match="frozen"):
        setattr(config, name, section)


def test_paths_are_relative_to_the_file(site: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/clerk")
    config = read(site, root, '[kiosk]\nstate_dir = "state"\n[reservations]\ncsv_path = "~/bookings.csv"\n')
    assert config.kiosk.state_dir == site / "state"
    assert config.reservations.csv_path == Path("/home/clerk/bookings.csv")


def test_an_empty_path_is_none(site: Path, root: Path) -> None:
    assert read(site, root, '[gateway]\nca_file = ""\n').gateway.ca_file is None


def test_a_file_saved_on_windows_is_read(site: Path, root: Path) -> None:
    (site / "config.toml").write_bytes("\ufeff[screen]\r\nidle_s = 30\r\n".encode())
    assert load(site / "config.toml", root).screen.idle_s == 30


MANY = """
mode = "production"
[kiosk]
mode = "prod"
hotel_code = "31"
timezone = "Asia/Shangai"
[screeen]
[screen]
idle_s = 5
languages = [
  "en",
  "fr",
]
[camera]
fsp = 3
[face]
similarity_threshold = 0.3
[reporting]
batch_max = 2.5
endpoint = "psb_reprot"
"""


def test_every_fault_is_named_at_once_with_its_line(site: Path, root: Path) -> None:
    found = faults(site, root, MANY)
    assert {key: fault.line for key, fault in found.items()} == {
        "mode": 2,
        "kiosk.mode": 4,
        "kiosk.hotel_code": 5,
        "kiosk.timezone": 6,
        "screeen": 7,
        "screen.idle_s": 9,
        "screen.languages": 10,
        "camera.fsp": 15,
        "face.similarity_threshold": 17,
        "reporting.batch_max": 19,
        "reporting.endpoint": 20,
    }


@pytest.mark.parametrize(
    ("key", "value", "allowed", "fix"),
    [
        ("mode", "", "", "this key belongs below [kiosk]"),
        ("kiosk.mode", '"prod"', 'one of "demo", "production"', "write an allowed value"),
        ("kiosk.hotel_code", '"31"', "10 digits", 'hotel_code = "3101009999"'),
        ("screeen", "", "", "did you mean [screen]?"),
        ("screen.idle_s", "5", "20 to 600", "write 20 or more"),
        ("camera.fsp", "", "", "did you mean fps?"),
        ("face.similarity_threshold", "0.3", "0.42 to 1.0", "compiled in: a site may only tighten it"),
        ("reporting.batch_max", "2.5", "a whole number, 1 to 100", "a whole number without quotes"),
        ("reporting.endpoint", '"psb_reprot"', "one of psb_report", "offline_queue/endpoints"),
    ],
)
def test_a_fault_says_value_range_and_fix(site: Path, root: Path, key: str, value: str, allowed: str, fix: str) -> None:
    fault = faults(site, root, MANY)[key]
    assert (fault.value, fault.allowed) == (value, allowed)
    assert fix in fault.fix


@pytest.mark.parametrize(
    "text", ['idle_s = "60"', "idle_s = true", "idle_s = nan", "idle_s = 2026-01-01", "idle_s = []"]
)
def test_a_value_of_another_type_is_not_bent_into_shape(site: Path, root: Path, text: str) -> None:
    assert "screen.idle_s" in faults(site, root, f"[screen]\n{text}\n")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[kiosk]\nmode = "demo"\nkiosk_id = demo\n', 3),
        ("[kiosk\n", 1),
        ("[kiosk]\n[kiosk]\n", 2),
        ('[screen]\nlanguages = ["en",\n', 3),
    ],
)
def test_what_is_not_toml_is_one_fault_on_its_line(site: Path, root: Path, text: str, line: int) -> None:
    (fault,) = faults(site, root, text).values()
    assert fault.line == line
    assert fault.fix


def test_another_encoding_is_told_with_its_line(site: Path, root: Path) -> None:
    (site / "config.toml").write_bytes("[kiosk]\nhotel_name_zh = '随住'\n".encode("gb18030"))
    with pytest.raises(BadSettings, match=r"line 2\. fix: save the file as UTF-8"):
        load(site / "config.toml", root)


def test_a_file_that_is_not_there_is_told(site: Path, root: Path) -> None:
    with pytest.raises(BadSettings, match=r"nowhere\.toml[\s\S]*No such file"):
        load(site / "nowhere.toml", root)
    with pytest.raises(BadSettings, match="Is a directory"):
        load(site, root)


@pytest.mark.parametrize(
    "line",
    [
        'client_key_file = "-----BEGIN PRIVATE KEY-----MIGHAgEAhunter2"',
        'url = "https://clerk:hunter2@gateway.cn"',
        'timeout_s = "$argon2id$v=19$hunter2"',
        'hunter_password = "hunter2"',
        'client_key_file = "hunter2"',
    ],
)
def test_a_secret_is_never_repeated(site: Path, root: Path, line: str) -> None:
    with pytest.raises(BadSettings) as caught:
        read(site, root, f"[gateway]\n{line}\n")
    assert caught.value.found
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(caught.value.found)


def test_the_path_of_a_missing_file_is_shown_as_it_was_written(site: Path, root: Path) -> None:
    found = faults(site, root, '[staff]\noperators_file = "clerks/operators.toml"\n')
    assert found["staff.operators_file"].value == '"clerks/operators.toml"'


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ('[key_encoder]\ndriver = "Acme"\n', "key_encoder.driver", '"Acme"'),
        ("[staff]\npin_tries = 99\n", "staff.pin_tries", "99"),
    ],
)
def test_what_only_sounds_like_a_secret_is_shown(site: Path, root: Path, text: str, key: str, value: str) -> None:
    assert faults(site, root, text)[key].value == value


@pytest.mark.parametrize("key", ["staff.pin", "gateway.client_token", "gateway.key", "gateway.client_key_file"])
def test_what_is_a_secret_by_its_name_is_not_shown(key: str) -> None:
    assert "hunter2" not in shown(key, "hunter2")


def test_a_long_value_is_cut() -> None:
    assert shown("gateway.place", "x" * 500) == '"' + "x" * 58 + "…"


RULES = [
    ("[face]\ndoubt_threshold = 0.5\n", "face.doubt_threshold"),
    ("[screen]\nidle_s = 200\n", "screen.elder_idle_s"),
    ("[reporting]\nbackoff_base_s = 20\nbackoff_cap_s = 10\n", "reporting.backoff_cap_s"),
    ("[outbox]\ndisk_warn_mb = 200\n", "outbox.disk_staff_mb"),
    ("[outbox]\ndisk_refuse_mb = 300\n", "outbox.disk_refuse_mb"),
    ('[screen]\nlanguages = ["en", "en"]\n', "screen.languages"),
    ('[camera]\ndriver = "leaned_on"\n', "camera.driver"),
    ('[key_encoder]\ndriver = "dormakaba"\n', "key_encoder.driver"),
    ('[reservations]\ndriver = "matching"\n', "reservations.driver"),
    ('[reporting]\nendpoint = "signing"\n', "reporting.endpoint"),
    ('[credentials]\nformats = ["suishen", "passport"]\n', "credentials.formats"),
    ('[kiosk]\ntimezone = "../../etc"\n', "kiosk.timezone"),
    ('[reservations]\ndriver = "csv"\n', "reservations.csv_path"),
    ('[camera]\ndriver = "video"\n', "camera.video_path"),
    ('[camera]\ndriver = "video"\nvideo_path = "gone.mp4"\n', "camera.video_path"),
    ('[gateway]\nca_file = "gone.pem"\n', "gateway.ca_file"),
    ('[credentials]\nissuer_keys_dir = "gone"\n', "credentials.issuer_keys_dir"),
    ('[reporting]\nclient_cert_file = "config.toml"\n', "reporting.client_key_file"),
    ('[gateway]\nurl = "http://gateway.cn"\n', "gateway.url"),
    ('[gateway]\nurl = "https://gateway.cn/?a=1"\n', "gateway.url"),
    ('[gateway]\nurl = "https://"\n', "gateway.url"),
    ('[gateway]\nurl = "https://[::1"\n', "gateway.url"),
    ('[gateway]\nurl = "https://gateway.cn:0"\n', "gateway.url"),
    ('[gateway]\nurl = "https://gateway.cn"\n', "reporting.url"),
    ('[reporting]\nurl = "https://report.cn"\n', "reporting.device_key_file"),
    ('[outbox]\nrecipient_key_file = "gone.json"\n', "outbox.recipient_key_file"),
    ('[reporting]\nreceipts_key_file = "gone.pem"\n', "reporting.receipts_key_file"),
    ('[outbox]\nsuite = "gm"\n[reporting]\ndevice_key_file = "config.toml"\n', "reporting.device_key_file"),
    ('[outbox]\nsuite = "rot13"\n', "outbox.suite"),
    ('[outbox]\nkey_store = "cloud"\n', "outbox.key_store"),
    ('[outbox]\ntpm_tcti = "-h"\n', "outbox.tpm_tcti"),
]


@pytest.mark.parametrize(("text", "key"), RULES)
def test_what_does_not_go_together_is_named(site: Path, root: Path, text: str, key: str) -> None:
    assert key in faults(site, root, text)


def test_a_rule_does_not_blame_the_second_key_for_the_first(site: Path, root: Path) -> None:
    found = faults(site, root, "[face]\nsimilarity_threshold = 5\ndoubt_threshold = 0.5\n")
    assert list(found) == ["face.similarity_threshold"]


def test_a_site_that_is_ready_for_guests_is_accepted(site: Path, root: Path) -> None:
    installation.lay_out_files(site)
    assert read(site, root, installation.PRODUCTION).kiosk.mode == "production"


LOOPBACK = ["127.0.0.1", "127.9.9.9", "127.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "localhost"]
LOOPBACK += ["LOCALHOST.", "ip6-localhost", "gateway.localhost", "gateway.sandbox.invalid"]


@pytest.mark.parametrize("host", LOOPBACK)
def test_production_refuses_loopback(site: Path, root: Path, host: str) -> None:
    installation.lay_out_files(site)
    text = installation.PRODUCTION.replace("gateway.hotel-group.cn", host)
    assert "loopback" in faults(site, root, text)["gateway.url"].fix


PRETENCES = [
    ('driver = "v4l2"', 'driver = "simulated"', "camera.driver"),
    ('driver = "v4l2"', 'driver = "video"\nvideo_path = "ca.pem"', "camera.driver"),
    ('driver = "acme"', 'driver = "simulated"', "key_encoder.driver"),
    ('driver = "csv"', 'driver = "simulated"', "reservations.driver"),
    ('driver = "csv"', 'driver = "simulated"', "reservations.url"),
    ('url = "https://gateway.hotel-group.cn/id"', "", "gateway.url"),
    ("https://report.police.cn", "http://report.police.cn", "reporting.url"),
    ('kiosk_id = "lobby-2"', "", "kiosk.kiosk_id"),
    ('hotel_code = "3101008888"', "", "kiosk.hotel_code"),
    ('organisation = "riverside"', "", "gateway.organisation"),
    ('machine_id = "lobby-2"', 'machine_id = "demo-01"', "gateway.machine_id"),
    ('device_id = "lobby-2"', "", "reporting.device_id"),
    ('operators_file = "operators.toml"', "", "staff.operators_file"),
    ('issuer_keys_dir = "issuers"', "", "credentials.issuer_keys_dir"),
    ('issuer_keys_dir = "issuers"', 'suishen_hosts = ["suishen.sandbox.invalid"]', "credentials.suishen_hosts"),
    ('client_cert_file = "client.pem"\nclient_key_file = "client.key"', "", "gateway.client_cert_file"),
]


@pytest.mark.parametrize(("real", "pretended", "key"), PRETENCES)
def test_production_refuses_what_the_demo_pretends(site: Path, root: Path, real: str, pretended: str, key: str) -> None:
    installation.lay_out_files(site)
    assert real in installation.PRODUCTION
    assert key in faults(site, root, installation.PRODUCTION.replace(real, pretended))


@pytest.mark.parametrize("key", ['{"kid": "k2", "sandbox": true}', '{"kid": "k2"}', "[]"])
def test_production_refuses_the_sandbox_as_an_issuer(site: Path, root: Path, key: str) -> None:
    installation.lay_out_files(site)
    (site / "issuers" / "k2.json").write_text(key)
    assert "k2.json" in faults(site, root, installation.PRODUCTION)["credentials.issuer_keys_dir"].fix


def test_claim169_in_production_needs_an_issuer(site: Path, root: Path) -> None:
    installation.lay_out_files(site)
    (site / "issuers" / "k1.json").unlink()
    assert "credentials.issuer_keys_dir" in faults(site, root, installation.PRODUCTION)
    read(site, root, installation.PRODUCTION.replace("[credentials]", '[credentials]\nformats = ["suishen"]'))


def test_production_refuses_certificates_of_the_sandbox(site: Path, root: Path) -> None:
    installation.lay_out_files(site)
    made = pki.make(site / "pki", "demo-01")
    assert pki.ORGANISATION == production.SANDBOX_ORGANISATION
    (site / "ca.pem").write_bytes(installation.certificate("An Authority") + made.ca_file.read_bytes())
    (site / "client.pem").write_bytes(made.client_cert_file.read_bytes())
    found = faults(site, root, installation.PRODUCTION)
    assert set(found) == {
        "gateway.ca_file",
        "gateway.client_cert_file",
        "reporting.ca_file",
        "reporting.client_cert_file",
    }


def test_production_refuses_to_seal_guests_to_the_sandbox(site: Path, root: Path) -> None:
    installation.lay_out_files(site)
    Receiver(site / "authority")
    told = json.loads((site / "authority" / "x25519.json").read_text())
    text = installation.PRODUCTION + '[outbox]\nrecipient_key_file = "authority/x25519.json"\n'
    assert "outbox.recipient_key_file" in faults(site, root, text)
    (site / "authority" / "x25519.json").write_text(json.dumps(told | {"kid": "shanghai-2026"}))
    assert read(site, root, text).kiosk.mode == "production"


def test_every_refusal_of_the_demo_in_production_comes_at_once(site: Path, root: Path) -> None:
    found = faults(site, root, '[kiosk]\nmode = "production"\n')
    assert set(found) == {
        *production.OWN,
        *production.PRETENDED,
        "gateway.url",
        "reporting.url",
        "reservations.url",
    } | {
        "credentials.issuer_keys_dir",
        "staff.operators_file",
    }


def test_lines_are_found_in_every_form_of_toml() -> None:
    text = '# c\na.b = 1\n[c] # c\n\nd = """\ne = 1\n"""\nf = [\n  [1],\n]\n"g h" = {i = 1}\n[[j]]\nk = 1\n'
    found = locate(text)
    assert found[("a", "b")] == 2
    assert found[("c",)] == 3
    assert found[("c", "d")] == 5
    assert ("c", "e") not in found
    assert found[("c", "f")] == 8
    assert found[("c", "g h", "i")] == 11
    assert found[("j", "k")] == 13


@given(st.dictionaries(st.sampled_from("abcdef"), st.text("xy=[]\"'# \n", max_size=8)), st.sampled_from(["\n", "\r\n"]))
def test_a_key_is_found_whatever_its_neighbours_hold(table: dict[str, str], end: str) -> None:
    import tomllib

    lines = [f"{key} = '''{value.replace(chr(39), '')}'''" for key, value in table.items()]
    text = end.join(line.replace("\n", end) for line in lines)
    found = locate(text)
    assert {path[0] for path in found} == set(tomllib.loads(text))
    for (key,), line in found.items():
        assert text.replace("\r\n", "\n").split("\n")[line - 1].startswith(f"{key} = ")
