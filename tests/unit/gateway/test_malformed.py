"""A request that is not as its door takes it is told what to do about it, in both languages."""

from typing import Annotated, Any, Literal, get_args

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core.core_schema import ErrorType

from gateway.api.malformed import SAID, said_of


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    every: Annotated[int, Field(ge=1, le=1000)] = 1
    share: Annotated[float, Field(gt=0, lt=1)] = 0.5
    name: Annotated[str, Field(min_length=2, max_length=4, pattern="^[a-z]+$")] = "abc"
    form: Literal["html", "pdf"] = "pdf"
    ids: Annotated[list[str], Field(min_length=1, max_length=2)] = ["a"]
    is_on: bool = True


def mistake(**given: object) -> dict[str, Any]:
    with pytest.raises(ValidationError) as caught:
        Asked.model_validate(given)
    return dict(caught.value.errors()[0])


@pytest.mark.parametrize(
    ("given", "en", "zh"),
    [
        ({"every": 0}, "it should be 1 or more", "应不小于 1"),
        ({"every": 1001}, "it should be 1000 at most", "应不大于 1000"),
        ({"every": "often"}, "it should be a whole number", "应为整数"),
        ({"every": 1.5}, "it should be a whole number", "应为整数"),
        ({"share": 0}, "it should be above 0.0", "应大于 0.0"),
        ({"share": "half"}, "it should be a number", "应为数字"),
        ({"name": "a"}, "it should have 2 signs or more", "至少 2 个字符"),
        ({"name": "abcde"}, "it should have 4 signs at most", "最多 4 个字符"),
        ({"name": "ABC"}, "it should be written as ^[a-z]+$ says", "格式应符合 ^[a-z]+$"),
        ({"name": 3}, "it should be text", "应为文本"),
        ({"form": "doc"}, "it should be one of 'html' or 'pdf'", "只能是 'html'、'pdf'"),
        ({"ids": []}, "it should have 1 or more in it, not 0", "至少 1 项，现为 0 项"),
        ({"ids": ["a", "b", "c"]}, "it should have 2 in it at most", "最多 2 项"),
        ({"ids": "a"}, "it should be a list", "应为列表"),
        ({"is_on": "perhaps"}, "it should be true or false", "应为 true 或 false"),
        ({"other": 1}, "it is not known here; leave it out", "没有该项，请删去"),
    ],
)
def test_what_the_framework_finds_is_said_in_both_languages(given: dict[str, object], en: str, zh: str) -> None:
    said = said_of(mistake(**given))
    assert (said.en, said.zh) == (en, zh)


def test_the_framework_has_every_mistake_that_is_listed() -> None:
    assert set(SAID) <= set(get_args(ErrorType)), "another release calls it otherwise"


def test_what_is_not_listed_or_lacks_its_words_is_told_as_the_framework_does() -> None:
    assert said_of({"type": "url_scheme", "msg": "URL scheme is odd"}) == (
        "URL scheme is odd",
        "格式不正确（URL scheme is odd）",
    )
    assert said_of({"type": "less_than", "msg": "too much", "ctx": {}}).zh == "格式不正确（too much）"
