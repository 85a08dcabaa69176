// SPDX-License-Identifier: Apache-2.0
//! Answers, well-formed and not.

use super::*;

const MOST: usize = 1000;

fn whole(input: &[u8]) -> Result<Answer, Fault> {
    let mut reader = Reader::new(MOST);
    reader.read(input)?;
    reader.finish()
}

/// In pieces of every size, the outcome is the same.
fn read(input: &[u8]) -> Result<Answer, Fault> {
    let outcome = whole(input);
    for size in 1..input.len().min(40) {
        let mut reader = Reader::new(MOST);
        let read = input
            .chunks(size)
            .try_for_each(|piece| reader.read(piece).map(|_| ()));
        let pieces = read.and_then(|()| reader.finish());
        assert_eq!(pieces, outcome, "in pieces of {size}");
    }
    outcome
}

fn content(input: &str) -> Result<String, Fault> {
    read(input.as_bytes()).map(|answer| String::from_utf8(answer.content).unwrap())
}

#[test]
fn requests_of_both_kinds() {
    let url = Url::parse("http://r.example:81/x").unwrap();
    let get = request(&url, Ask::Get, "*/*", false);
    assert_eq!(
        String::from_utf8(get).unwrap(),
        "GET /x HTTP/1.1\r\nHost: r.example:81\r\nUser-Agent: mod_tls\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    );
    let post = request(&url, Ask::Post("a/b", b"12"), "c/d", true);
    let post = String::from_utf8(post).unwrap();
    assert!(post.starts_with("POST http://r.example:81/x HTTP/1.1\r\n"));
    assert!(post.ends_with("Content-Type: a/b\r\nContent-Length: 2\r\n\r\n12"));
}

#[test]
fn every_way_to_say_how_long() {
    for (input, meant) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabcdef", "ab"),
        ("HTTP/1.0 200\r\n\r\nabc", "abc"),
        ("HTTP/1.1 200 OK\nContent-Length:2\n\nab", "ab"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\nT: x\r\n\r\n",
            "abc",
        ),
        (
            "HTTP/1.1 100 Go\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nz",
            "z",
        ),
        ("HTTP/1.1 204 None\r\nContent-Length: 5\r\n\r\n", ""),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\ncontent-length: 2\r\n\r\nab",
            "ab",
        ),
    ] {
        assert_eq!(content(input).as_deref(), Ok(meant), "{input:?}");
    }
}

#[test]
fn what_is_refused() {
    for (input, fault) in [
        ("", Fault::NoHttp),
        ("SSH-2.0-x\r\n", Fault::NoHttp),
        ("HTTP/2 200\r\n\r\n", Fault::NoHttp),
        ("HTTP/1.1 20\r\n\r\n", Fault::NoHttp),
        ("HTTP/1.1 2000\r\n\r\n", Fault::NoHttp),
        ("HTTP/1.1 101 Up\r\n\r\n", Fault::NoHttp),
        ("HTTP/1.1 200 OK\r\nno colon\r\n\r\n", Fault::NoHttp),
        (
            "HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\na",
            Fault::NoHttp,
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", Fault::Cut),
        ("HTTP/1.1 200 OK\r\nContent-Le", Fault::Cut),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
            Fault::Framing,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            Fault::Framing,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            Fault::Framing,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            Fault::Framing,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
            Fault::Framing,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
            Fault::Framing,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
            Fault::Cut,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
            Fault::LongContent,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n",
            Fault::LongContent,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
            Fault::LongContent,
        ),
    ] {
        assert_eq!(content(input), Err(fault), "{input:?}");
    }
}

#[test]
fn everything_is_bounded() {
    let long = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(MOST + 1));
    assert_eq!(content(&long), Err(Fault::LongContent));
    let chunks = "1\r\nx\r\n".repeat(MOST + 1);
    let chunks = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
    assert_eq!(content(&chunks), Err(Fault::LongContent));
    for head in [
        format!("HTTP/1.1 200 {}", "x".repeat(LONGEST_HEAD)),
        format!("HTTP/1.1 200 OK\r\n{}", "a: b\r\n".repeat(LONGEST_HEAD / 6)),
        "HTTP/1.1 100 Go\r\n\r\n".repeat(LONGEST_HEAD / 19 + 1),
        format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n{}",
            "a: b\r\n".repeat(LONGEST_HEAD / 6)
        ),
    ] {
        assert_eq!(content(&head), Err(Fault::LongHead));
    }
    let size = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        "0".repeat(LONGEST_SIZE_LINE + 1)
    );
    assert_eq!(content(&size), Err(Fault::Framing));
}

#[test]
fn a_redirection_says_where_to() {
    let answer =
        read(b"HTTP/1.1 302 Found\r\nLocation:  /b \r\nContent-Length: 0\r\n\r\n").unwrap();
    assert_eq!(
        (answer.status, answer.location.as_deref()),
        (302, Some("/b"))
    );
}

/// Memory is what was kept: each octet is looked at once, and a line or content grows by doubling at most.
#[test]
fn the_work_grows_with_the_octets() {
    let allocations = |most: usize| {
        let input = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(most));
        let counted = allocation_counter::measure(|| {
            let mut reader = Reader::new(most);
            for piece in input.as_bytes().chunks(1) {
                reader.read(piece).unwrap();
            }
            assert_eq!(reader.finish().unwrap().content.len(), most);
        });
        counted.bytes_total
    };
    let (small, large) = (allocations(10_000), allocations(100_000));
    assert!(large < small * 20, "{small} {large}");
    assert!(large < 500_000, "{large}");
}
