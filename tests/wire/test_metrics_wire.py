"""Summaries of series on their way."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from headway.model import Scalar, SeriesSummary
from headway.wire.metrics import SentSummary, packed, unpacked

numbers = st.one_of(st.none(), st.floats())
texts = st.text(st.characters(exclude_categories=["Cs"]))
scalars: st.SearchStrategy[Scalar] = st.one_of(
    st.none(),
    st.booleans(),
    st.floats(),
    texts,
    st.integers(),
    st.integers(min_value=1 << 62),
    st.integers(max_value=-(1 << 62)),
)


@given(last=scalars, minimum=numbers, maximum=numbers, name=texts, count=st.integers(0, 1 << 40))
def test_a_summary_arrives_as_it_was(
    last: Scalar, minimum: float | None, maximum: float | None, name: str, count: int
) -> None:
    summary = SeriesSummary(
        "run", name, count=count, last=last, minimum=minimum, maximum=maximum, first_step=-(1 << 63)
    )
    sent = msgspec.msgpack.decode(msgspec.msgpack.encode(packed(summary)), type=SentSummary)
    arrived = unpacked(sent)
    assert repr(arrived) == repr(summary)  # NaN is not equal to itself; 1 and 1.0 are two things
    assert type(arrived.last) is type(last)
