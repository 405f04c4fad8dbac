"""Random conversations of memcached clients: well framed, whatever else is wrong with them; and mess."""

from hypothesis import strategies as st

NUMBERS = [b"n1", b"n2"]
STRINGS = [b"a", b"b", b"c\td", b"k" * 250]
KEYS = st.sampled_from([*STRINGS, *NUMBERS])
FLAGS = st.sampled_from([b"0", b"0", b"5", b"4294967295", b"4294967296", b"+7", b"7\tx"])
EXPTIMES = st.sampled_from([b"0", b"0", b"500", b"-1", b"2592001", b"99999999999", b"3000000000"])
VALUES = st.sampled_from([b"", b"x", b"hello", b"a\r\nb", b"y" * 300])
DIGITS = st.sampled_from(
    [b"100", b"007", b"18446744073709551615", b"9223372036854775807", b"12 ", b"5 x", b"-3"]
)
NOREPLY = st.sampled_from([b"", b"", b"", b" noreply"])
UNIQUES = st.sampled_from([b"<unique>", b"<unique>", b"<unique>", b"1", b"0"])
DELTAS = st.sampled_from([b"1", b"1", b"7", b"18446744073709551615", b"9223372036854775807", b"x", b"-1"])


def block(head: st.SearchStrategy[bytes], value: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """A storage command: where its head says %d stands the length of the value."""
    return st.builds(
        lambda head, value: head.replace(b"%d", b"%d" % len(value)) + b"\r\n" + value, head, value
    )


def line(*parts: st.SearchStrategy[bytes] | bytes) -> st.SearchStrategy[bytes]:
    """Words in one line."""
    drawn = [st.just(part) if isinstance(part, bytes) else part for part in parts]
    return st.tuples(*drawn).map(lambda words: b" ".join(word for word in words if word))


def _storing(verb: bytes) -> st.SearchStrategy[bytes]:
    return line(verb, KEYS, FLAGS, EXPTIMES, b"%d")


CLASSIC = [
    block(_storing(b"set"), VALUES),
    block(line(b"set", st.sampled_from(NUMBERS), FLAGS, b"0 %d"), DIGITS),
    block(st.sampled_from([b"add", b"replace"]).flatmap(_storing), VALUES),
    block(line(st.sampled_from([b"append", b"prepend"]), st.sampled_from(STRINGS), b"0 0 %d"), VALUES),
    block(line(b"cas", KEYS, FLAGS, b"0 %d", UNIQUES), VALUES),
    block(line(b"set", KEYS, FLAGS, b"0 %d noreply"), VALUES),
    line(st.sampled_from([b"get", b"gets", b"bget"]), KEYS),
    st.lists(KEYS, min_size=2, max_size=30).map(lambda keys: b"gets " + b" ".join(keys)),
    line(st.sampled_from([b"gat", b"gats"]), EXPTIMES, KEYS, KEYS),
    line(b"touch", KEYS, EXPTIMES, NOREPLY.map(bytes.strip)),
    line(st.sampled_from([b"incr", b"decr"]), KEYS, DELTAS, NOREPLY.map(bytes.strip)),
    line(b"delete", KEYS, st.sampled_from([b"", b"", b"0", b"noreply", b"0 noreply", b"1", b"5 noreply"])),
    st.just(b"flush_all"),
]
ODD = st.sampled_from(
    [
        b"",
        b" ",
        b"x",
        b"bogus",
        b"get",
        b"gets",
        b"gat",
        b"gat 0",
        b"gat x a",
        b"touch a",
        b"touch a x",
        b"touch a 0 0 0",
        b"set a 0 0",
        b"set a x 0 1",
        b"set a 0 x 1",
        b"set a 0 0 x",
        b"set a 0 0 -1",
        b"set a 0 0 x noreply",
        b"cas a 0 0 1 x",
        b"cas a 0 0 1",
        b"set " + b"k" * 251 + b" 0 0 1",
        b"get " + b"k" * 251,
        b"get a " + b"k" * 251,
        b"incr " + b"k" * 251 + b" 1",
        b"incr a",
        b"incr n1 1 2 3",
        b"delete",
        b"delete " + b"k" * 251,
        b"delete a 0 0",
        b"verbosity",
        b"verbosity 1",
        b"verbosity x",
        b"verbosity 1 noreply",
        b"version",
        b"flush_all x",
        b"flush_all 1 2 3",
        b"flush_all noreply",
        b"flush_all 0",
        b"flush_all -1",
        b"shutdown",
        b"stats bogus",
        b"stats detail",
        b"mn",
        b"me",
        b"me nothing",
        b"mg",
        b"ms",
        b"md",
        b"ma",
        b"mz a",
        b"ms a",
        b"ms a x",
        b"ms a -1",
        b"mg " + b"k" * 251,
        b"mg a v v",
        b"mg a Y",
        b"mg a N",
        b"mg a Tx",
        b"mg a " + b" ".join([b"s"] * 20),
        b"mg a O" + b"o" * 40 + b" v",
        b"md a v v",
        b"ma a v v",
        b"ma a MX",
        b"ma a Dx",
        b"ma a Jx",
        b"mg a Fx",
        b"mg !! b",
        b"mg YQ b v k",
        b"a b c HTTP/1.1x y",
    ]
)
ASKED = st.lists(
    st.sampled_from([b"v", b"t", b"s", b"c", b"f", b"k", b"Ohm", b"q", b"u", b"h"]), unique=True, max_size=6
)
FLAGGED = ASKED.map(b" ".join)
META_T = st.sampled_from([b"", b"", b"T0", b"T500", b"T-1"])
META_C = st.sampled_from([b"", b"", b"C<unique>", b"C1", b"C0"])


def _meta(*parts: st.SearchStrategy[bytes] | bytes) -> st.SearchStrategy[bytes]:
    return line(*parts)


META = [
    _meta(b"mg", KEYS, FLAGGED),
    _meta(b"mg", KEYS, FLAGGED, st.sampled_from([b"N500", b"R1000", b"N0 R30", b"T500", b"R1000 T100"])),
    block(
        _meta(
            b"ms",
            KEYS,
            b"%d",
            st.sampled_from([b"", b"c", b"k Ohm", b"q", b"F5", b"F5 c k"]),
            META_T,
            META_C,
            st.sampled_from([b"", b"", b"ME", b"MR", b"MS", b"MX"]),
            st.sampled_from([b"", b"", b"I"]),
        ),
        VALUES,
    ),
    block(
        _meta(b"ms", st.sampled_from(STRINGS), b"%d", META_C, st.sampled_from([b"MA", b"MP", b"MA c"])),
        VALUES,
    ),
    _meta(
        b"md",
        KEYS,
        st.sampled_from([b"", b"q", b"k Ohm", b"I", b"I q"]),
        META_T,
        META_C,
    ),
    _meta(
        b"ma",
        st.sampled_from(NUMBERS),
        st.sampled_from([b"", b"v", b"v t c", b"k Ohm q"]),
        st.sampled_from([b"", b"N500", b"N0 J13"]),
        st.sampled_from([b"", b"D7", b"D18446744073709551615", b"MD D3", b"M- D500", b"MI", b"M+"]),
        META_C,
    ),
    _meta(b"me", KEYS),
]


def conversations(kinds: list[st.SearchStrategy[bytes]]) -> st.SearchStrategy[list[bytes]]:
    """Some lines, of few kinds at a time, so that they meet; each without its end."""
    return st.lists(st.sampled_from(kinds), min_size=1, max_size=5).flatmap(
        lambda chosen: st.lists(
            st.one_of(*chosen, kinds[0], kinds[6 if len(kinds) > 8 else 0]), min_size=4, max_size=25
        )
    )


MESS = st.lists(
    st.one_of(
        ODD.filter(lambda line: b"HTTP" not in line and not (line.startswith(b"get") and len(line) > 250)),
        st.sampled_from(
            [
                b"set a 0 0 5",
                b"hello",
                b"abc",
                b"ms a 3",
                b"set b 0 0 2 noreply",
                b"hi",
                b"get a b",
                b"mg a v",
            ]
        ),
        st.binary(max_size=20).map(lambda data: data.replace(b"\n", b"").replace(b"HTTP/", b"")),
    ),
    max_size=20,
).map(b"\r\n".join)
