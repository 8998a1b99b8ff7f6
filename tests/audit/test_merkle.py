"""The tree against published roots, and against the RFC's own recursive definition."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from autograde.audit.merkle import Tree, leaf_hash, levels

# The eight leaves and the roots of 0 to 8 of them that Certificate Transparency's implementations test with.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def by_the_rfc(leaves: list[bytes]) -> bytes:
    """MTH of RFC 9162, section 2.1.1, as it stands there."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0]).digest()
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return sha256(b"\1" + by_the_rfc(leaves[:k]) + by_the_rfc(leaves[k:])).digest()


def tree_of(leaves: list[bytes], start: int = 0) -> Tree:
    tree = Tree(start)
    for leaf in leaves:
        tree.add(leaf_hash(leaf))
    return tree


def test_roots_are_the_published_ones() -> None:
    assert [tree_of(LEAVES[:size]).root.hex() for size in range(9)] == list(ROOTS)


@given(st.lists(st.binary(max_size=3), max_size=70), st.data())
def test_what_was_and_what_was_added_give_the_whole(leaves: list[bytes], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(leaves)))
    before, added = tree_of(leaves[:cut]), tree_of(leaves[cut:], cut)
    assert before.root == by_the_rfc(leaves[:cut])
    assert [level for level, _node in added.nodes] == list(levels(cut, len(leaves)))
    before.add_all(added.nodes)
    assert before.root == by_the_rfc(leaves)
    assert len(before.nodes) == len(leaves).bit_count()
