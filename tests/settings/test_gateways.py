"""A key is sent to its own gateway and nowhere else: every combination that can be configured."""

import itertools

import pytest

from recording.errors import OperatorError
from settings.address import same
from settings.gateways import Table, named, unusable

N_URL, N_KEY = "NONELINEAR_OPENAI_BASE_URL", "NONELINEAR_API_KEY"
O_URL, O_KEY = "OPENAI_BASE_URL", "OPENAI_API_KEY"
NL, OPEN, OWN, OTHER = (
    "https://n.example/v1",
    "https://o.example/v1",
    "https://m.example/v1",
    "http://x/v1",
)
AZ = "https://r.openai.azure.com/openai?api-version=2024-10-21"
BOTH = {N_URL: NL, N_KEY: "n-key", O_URL: OPEN, O_KEY: "o-key"}
MINE = {"MINE_BASE_URL": OWN, "MINE_API_KEY": "m-key"}


@pytest.mark.parametrize(
    ("host", "gateway", "variables", "url", "key_name"),
    [
        # -H is one of those that are configured: its own key
        (NL, "", BOTH, NL, N_KEY),
        (OPEN, "", BOTH, OPEN, O_KEY),
        (OPEN + "/", "", BOTH, OPEN + "/", O_KEY),
        ("HTTPS://O.example:443/v1", "", BOTH, "HTTPS://O.example:443/v1", O_KEY),
        (OPEN, "", {O_URL: OPEN, O_KEY: "o-key", N_KEY: "n-key"}, OPEN, O_KEY),
        (
            AZ.replace("?", "/deployments/{model}?"),
            "",
            {O_URL: AZ, O_KEY: "o-key"},
            AZ.replace("?", "/deployments/{model}?"),
            O_KEY,
        ),
        # the only key, which no base URL was configured with
        (OTHER, "", {O_KEY: "o-key"}, OTHER, O_KEY),
        (OTHER, "", {N_KEY: "n-key"}, OTHER, N_KEY),
        (OTHER, "", {N_KEY: "n-key", O_URL: OPEN}, OTHER, N_KEY),
        (OTHER, "", {**MINE, O_KEY: "o-key"}, OTHER, O_KEY),
        # a name
        (None, "mine", BOTH | MINE, OWN, "MINE_API_KEY"),
        (None, "Mine", BOTH | MINE, OWN, "MINE_API_KEY"),
        (OWN, "mine", BOTH | MINE, OWN, "MINE_API_KEY"),
        (OTHER, "mine", {**BOTH, "MINE_API_KEY": "m-key"}, OTHER, "MINE_API_KEY"),
        (None, "a-b", {"A_B_BASE_URL": OWN, "A_B_API_KEY": "k"}, OWN, "A_B_API_KEY"),
        (None, "openai", BOTH, OPEN, O_KEY),
        (None, "nonelinear", BOTH, NL, N_KEY),
        # the environment alone
        (None, "", BOTH, NL, N_KEY),
        (None, "", {O_URL: OPEN, O_KEY: "o-key", N_KEY: "n-key"}, OPEN, O_KEY),
        (None, "", {**BOTH, N_KEY: ""}, OPEN, O_KEY),
        (None, "", {**BOTH, O_KEY: ""}, NL, N_KEY),
        (None, "", {**BOTH, O_URL: NL, O_KEY: "n-key"}, NL, N_KEY),
    ],
)
def test_the_gateway_is_chosen_with_the_key_that_belongs_to_it(
    host: str | None, gateway: str, variables: dict[str, str], url: str, key_name: str
) -> None:
    choice = Table(variables).choose(host, gateway)
    assert (choice.base_url, choice.key_name) == (url, key_name)


@pytest.mark.parametrize(
    ("host", "gateway", "variables", "says"),
    [
        (
            OTHER,
            "",
            BOTH,
            f"{N_KEY} and {O_KEY} are both set, and -H {OTHER} is the",
        ),
        (OTHER, "", {N_KEY: "a", O_KEY: "b"}, "are both set"),
        (OTHER, "", {O_URL: OPEN, O_KEY: "k"}, f"the only key is {O_KEY}, which belongs to {OPEN}"),
        (OTHER, "", {N_URL: NL, N_KEY: "k"}, f"the only key is {N_KEY}, which belongs to {NL}"),
        ("http://127.0.0.1:9/v1", "", {O_URL: OPEN, O_KEY: "k"}, "is sent only to its own gateway"),
        (OPEN + "/sub", "", {O_URL: OPEN, O_KEY: "k"}, "is sent only to its own gateway"),
        (
            OPEN.replace("https", "http"),
            "",
            {O_URL: OPEN, O_KEY: "k"},
            "is sent only to its own gateway",
        ),
        (
            OPEN.replace("example", "example.evil"),
            "",
            {O_URL: OPEN, O_KEY: "k"},
            "only to its own gateway",
        ),
        (OPEN + "?api-version=1", "", {O_URL: OPEN, O_KEY: "k"}, "is sent only to its own gateway"),
        (OTHER, "", MINE, "no API key"),
        (OPEN, "", {O_URL: OPEN, N_KEY: "k"}, f"no API key: set {O_KEY}"),
        (OPEN, "", {**BOTH, N_URL: OPEN}, "configured twice, with two keys"),
        (
            OTHER,
            "mine",
            MINE,
            "mine is https://m.example/v1 (MINE_BASE_URL), and -H says",
        ),
        (None, "mine", {"MINE_API_KEY": "k"}, "set MINE_BASE_URL"),
        (None, "mine", {"MINE_BASE_URL": OWN, O_KEY: "o"}, "set MINE_API_KEY"),
        (None, "a b!", MINE, "is not a usable name"),
        (None, "", {}, "no gateway is named"),
        (None, "", MINE, "no gateway is named"),
        (None, "", {O_URL: OPEN, N_KEY: "k"}, f"no API key: set {O_KEY}"),
    ],
)
def test_a_combination_that_could_send_a_key_elsewhere_is_one_sentence(
    host: str | None, gateway: str, variables: dict[str, str], says: str
) -> None:
    with pytest.raises(OperatorError) as caught:
        Table(variables).choose(host, gateway)
    assert says in str(caught.value)
    for name, value in variables.items():
        assert not name.endswith("_KEY") or len(value) < 4 or value not in str(caught.value)


def test_no_combination_sends_a_key_to_a_url_configured_for_another() -> None:
    """Four variables and four hosts, against the rule in plain code."""
    urls = ("", NL, OPEN)
    for host, n_url, o_url, n_key, o_key in itertools.product(
        (None, NL, OPEN, OTHER), urls, urls, ("", "n-key"), ("", "o-key")
    ):
        variables = {N_URL: n_url, O_URL: o_url, N_KEY: n_key, O_KEY: o_key}
        try:
            choice = Table(variables).choose(host)
        except OperatorError:
            continue
        own = variables[{N_KEY: N_URL, O_KEY: O_URL}[choice.key_name]]
        assert variables[choice.key_name], "there is such a key"
        assert same(own, choice.base_url) if own else host is not None, (host, variables, choice)
        if not own:  # a key without a home goes where -H says, if it is the only one
            assert [n_key, o_key].count("") == 1, (host, variables)


def test_two_gateways_from_shell_and_file_are_refused_and_from_one_place_reported() -> None:
    """Neither may silently take the place of the other."""
    with pytest.raises(OperatorError, match="two gateways are configured.*--gateway openai"):
        Table(BOTH, from_file={N_URL, N_KEY}).choose(None)
    assert Table(BOTH, from_file={N_URL, N_KEY}).choose(None, "openai").base_url == OPEN
    assert "--gateway openai takes the other" in Table(BOTH).choose(None).why
    choice = Table({**BOTH, N_KEY: ""}, from_file={N_URL}).choose(None)
    assert (choice.base_url, choice.source) == (OPEN, O_URL)
    assert f"{N_URL} in .env) is ignored: {N_KEY} is not set" in choice.why


def test_without_a_key_any_host_can_be_used() -> None:
    choice = Table(BOTH).choose(OTHER, keyless=True)
    assert (choice.base_url, choice.key_name) == (OTHER, "")


def test_a_worker_takes_the_key_of_the_same_variable() -> None:
    table = Table({N_KEY: "n", O_KEY: "o"})
    assert table.choose(OTHER, prefer=O_KEY).key_name == O_KEY
    with pytest.raises(OperatorError, match="both set"):
        Table({N_KEY: "n", O_KEY: "o", O_URL: OPEN}).choose(OTHER, prefer=O_KEY)


@pytest.mark.parametrize(
    "key",
    ["$(vault read key)", "`cat key`", "<your-key>", "YOUR_API_KEY", "your-api-key-here", "sk-...",
     "$OPENAI_API_KEY", "${KEY}", "changeme", "xxxxxxxx", "sk-your-key", "[key]"],
)  # fmt: skip
def test_a_placeholder_for_a_key_is_refused(key: str) -> None:
    assert "O_KEY in .env" in unusable(key, "O_KEY in .env")


@pytest.mark.parametrize(
    "key",
    ["k", "any", "sk-proj-AbC_123", "dummy", "sk-yourself123456", "EMPTY", "a$b", "x-y", "none",
     "sk-xxAA", "eyJhbGciOi.eyJzdWIi.c2ln", "monkey"],
)  # fmt: skip
def test_anything_that_may_be_a_key_is_accepted(key: str) -> None:
    assert unusable(key, "O_KEY") == ""


def test_the_name_of_a_gateway_becomes_upper_case_variables() -> None:
    assert (named("my-gw").url, named("MY_GW").key) == ("MY_GW_BASE_URL", "MY_GW_API_KEY")
