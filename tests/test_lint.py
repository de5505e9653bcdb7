from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from telnyx_conformance.contract.files import read_contract_file
from telnyx_conformance.contract.lint import lint
from telnyx_conformance.errors import ContractError

if TYPE_CHECKING:
    from pathlib import Path

EDITION = """\
edition: '2000-01-01'
openapi: 3.1.0
info: {title: Pets}
servers: [{url: 'https://example.com'}]
security: []
securitySchemes: {}
source: {sha256: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', version: '1'}
groups: [Pets]
"""
GROUP = """\
group: Pets
paths:
  /pets/{pet_id}:
    get:
      operationId: GetPet
      summary: Read a pet
      tags: [Pets]
      parameters:
      - {name: pet_id, in: path, required: true, schema: {type: string}}
      responses:
        '200':
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Pet'}
components:
  schemas:
    Pet:
      type: object
      properties:
        age: {type: integer, minimum: 0}
"""
SHARED = "components: {}\n"
SAFETY = "classes:\n  safe_read:\n    GetPet: read only\n"
OVERLAY = """\
overlay: 1.0.0
info: {title: Pets, version: '1'}
actions:
- target: $.components.schemas.Pet.properties.age
  update: {maximum: 30}
  x-reason: no pet is older
  x-source: the text
"""
ERRORS = """\
codes: {'10015': {title: Bad Request}}
general: [{code: '10015', reason: fits everything}]
situations: {}
kinds: {minimum: {codes: ['10015']}}
fields: {groups: [Pets], codes: {age: '10015'}}
"""
JUDGED = """\
group: Pets
judgements:
- {owner: Pet, in: body, field: age, kind: maximum, as: keyword}
inconsistencies:
- {owner: GetPet, in: path, field: pet_id, kind: naming, as: explained, because: the name stays as published}
"""
FILES = {
    "2000-01-01/edition.yaml": EDITION,
    "2000-01-01/groups/pets.yaml": GROUP,
    "2000-01-01/shared.yaml": SHARED,
    "safety.yaml": SAFETY,
    "hardening/pets.yaml": OVERLAY,
    "errors.yaml": ERRORS,
    "judgements/pet.yaml": JUDGED,
}


def contracts(folder: Path, **changed: tuple[str, str]) -> Path:
    """Write the small contract, with one word replaced in one file."""
    for name, text in FILES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    for stem, (before, after) in changed.items():
        file = next(folder / name for name in FILES if stem in name)
        assert before in file.read_text()
        file.write_text(file.read_text().replace(before, after))
    return folder


def test_the_projects_own_contracts_are_clean() -> None:
    assert [str(problem) for problem in lint()] == []


def test_a_small_contract_without_faults_is_clean(tmp_path: Path) -> None:
    assert lint(contracts(tmp_path)) == []


PLANTED = [
    (
        ("groups", "minimum: 0", "minimun: 0"),
        "pets.yaml:20:14: /components/schemas/Pet/properties/age",
        "minimun: did you mean minimum?",
    ),
    (
        ("groups", "type: integer", "type: integr"),
        "pets.yaml:20:21: /components/schemas/Pet/properties/age/type",
        "did you mean integer?",
    ),
    (("groups", "    get:\n", "    gett:\n"), "/paths/~1pets~1{pet_id}", "gett: did you mean get?"),
    (("groups", "minimum: 0", "minimum: none"), "/components/schemas/Pet/properties/age/minimum", ""),
    (("groups", "schemas/Pet'", "schemas/Pett'"), "pets.yaml:14", "did you mean Pet?"),
    (("groups", "name: pet_id", "name: pet_ids"), "/paths/~1pets~1{pet_id}/get", "did you mean pet_ids?"),
    (("hardening", "Pet.properties.age", "Pet.properties.aeg"), "pets.yaml:4:3: /actions/0", "aeg: did you mean age?"),
    (("hardening", "maximum", "maximun"), "schemas/Pet/properties/age", "did you mean maximum?"),
    (("hardening", "maximum: 30", "maximum: thirty"), "schemas/Pet/properties/age/maximum", ""),
    (("hardening", "maximum: 30", "pattern: '['"), "schemas/Pet/properties/age/pattern", ""),
    (
        ("hardening", "maximum: 30", "x-rules: [{rule: onse, scope: dial}]"),
        "schemas/Pet/properties/age/x-rules",
        "did you mean once?",
    ),
    (("hardening", "x-source", "x-sourse"), "/actions/0", "x-sourse: did you mean x-source?"),
    (("safety", "GetPet", "GetPets"), "/classes/safe_read/GetPets", "did you mean GetPet?"),
    (("safety", "safe_read", "safe_reed"), "/classes", "safe_reed: did you mean safe_read?"),
    (("errors", "codes: ['10015']", "codes: ['10016']"), "/kinds/minimum/codes", "did you mean 10015?"),
    (("errors", "groups: [Pets]", "groups: [Pet]"), "/fields/groups/0", "did you mean Pets?"),
    (("judgements", "owner: Pet,", "owner: Pett,"), "pet.yaml:3:11: /judgements/0/owner", "did you mean Pet?"),
    (("judgements", "field: age", "field: aeg"), "pet.yaml:3:33: /judgements/0/field", "did you mean age?"),
    (("judgements", "kind: maximum", "kind: maxLength"), "/judgements/0/field", ""),
    (("judgements", "as: keyword", "as: keywort"), "/judgements/0/as", "did you mean keyword?"),
    (("judgements", "owner: GetPet", "owner: GetPets"), "/inconsistencies/0/owner", "did you mean GetPet?"),
    (("judgements", "group: Pets", "group: Pet"), "pet.yaml:1:8: /group", "did you mean Pets?"),
    (("edition", "groups: [Pets]", "groups: []"), "2000-01-01", ""),
]


@pytest.mark.parametrize(("typo", "where", "advice"), PLANTED)
def test_a_planted_fault_is_told_with_its_place_and_neighbour(
    tmp_path: Path, typo: tuple[str, str, str], where: str, advice: str
) -> None:
    file, before, after = typo
    problems = lint(contracts(tmp_path, **{file: (before, after)}))
    told = [(problem.where, problem.advice) for problem in problems]
    assert any(where in place and said == advice for place, said in told), told


def test_a_truncated_file_is_told_with_its_line(tmp_path: Path) -> None:
    contracts(tmp_path)
    group = tmp_path / "2000-01-01" / "groups" / "pets.yaml"
    group.write_text(GROUP[: GROUP.index("integer")] + "'")
    problems = [problem for problem in lint(tmp_path) if problem.problem == "not YAML"]
    assert [problem.advice for problem in problems] == ["is the file truncated?"]
    assert problems[0].where.startswith(f"{group}:")


def test_an_empty_file_is_told(tmp_path: Path) -> None:
    contracts(tmp_path)
    (tmp_path / "safety.yaml").write_text("")
    assert [p.got for p in lint(tmp_path)] == ['null is not of type "object"']


def test_a_key_that_stands_twice_is_told(tmp_path: Path) -> None:
    problems = lint(
        contracts(tmp_path, safety=("    GetPet: read only\n", "    GetPet: read only\n    GetPet: again\n"))
    )
    assert [(p.got, p.where.rpartition("safety.yaml")[2]) for p in problems] == [
        ("GetPet stands twice in one mapping", ":4:5")
    ]


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="cannot be read") as caught:
        read_contract_file(tmp_path / "gone.yaml", "safety")
    assert caught.value.where == str(tmp_path / "gone.yaml")


def test_a_file_that_nothing_reads_is_told(tmp_path: Path) -> None:
    (contracts(tmp_path) / "eror.yaml").write_text("a: 1\n")
    assert [p.problem for p in lint(tmp_path)] == ["nothing reads this file"]


def test_an_operation_in_two_files_is_told(tmp_path: Path) -> None:
    contracts(tmp_path, edition=("[Pets]", "[Pets, Zoo]"))
    (tmp_path / "2000-01-01" / "groups" / "zoo.yaml").write_text(GROUP.replace("Pets", "Zoo"))
    assert {p.problem for p in lint(tmp_path)} == {
        "an operation stands in two files",
        "an operation id is used twice",
        "a component stands in two files",
    }


def test_an_operation_without_or_with_two_safety_classes_is_told(tmp_path: Path) -> None:
    contracts(tmp_path, safety=("GetPet: read only", "{}"))
    (tmp_path / "safety.yaml").write_text("classes: {}\n")
    assert [p.problem for p in lint(tmp_path)] == ["an operation has no safety class"]
    (tmp_path / "safety.yaml").write_text(SAFETY + "  billable:\n    GetPet: costs money\n")
    assert {p.problem for p in lint(tmp_path)} == {"an operation has two safety classes"}


def test_an_unknown_operation_in_a_lifecycle_is_told(tmp_path: Path) -> None:
    lifecycles = contracts(tmp_path) / "lifecycles"
    lifecycles.mkdir()
    text = "group: Pets\nresources:\n- name: pets\n  item: /pets/{pet_id}\n  operations:\n    read: [GetPetz]\n"
    (lifecycles / "pets.yaml").write_text(text)
    problems = lint(tmp_path)
    assert [(p.problem, p.got, p.advice) for p in problems] == [
        ("unknown operation", "GetPetz", "did you mean GetPet?")
    ]


def test_an_unknown_command_of_a_sequence_is_told(tmp_path: Path) -> None:
    webhooks = contracts(tmp_path) / "webhooks"
    webhooks.mkdir()
    text = "read:\n  claim: a pet\n  command: GetPett\n  legs: {A: addressed}\n  level: MUST\n  source: the text\n"
    (webhooks / "pets.yaml").write_text(text)
    problems = lint(tmp_path)
    assert [(p.problem, p.advice) for p in problems] == [("unknown operation", "did you mean GetPet?")]


def test_one_typo_gives_one_message(tmp_path: Path) -> None:
    typos = {
        "safety": ("safe_read", "safe_reed"),
        "groups": ("minimum", "minimun"),
        "hardening": ("actions", "acsions"),
    }
    found = [len(lint(contracts(tmp_path / stem, **{stem: typo}))) for stem, typo in typos.items()]
    assert found == [1, 1, 1]
