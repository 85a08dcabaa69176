// SPDX-License-Identifier: Apache-2.0
//! Against servers of threads of this process.

use super::*;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::thread;
use std::time::Duration;

/// A server that gives one connection after another these answers; what it was asked comes back when it is joined.
fn server(answers: Vec<String>) -> (Url, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let serve = move |answer: String| {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = vec![0; 4096];
        let length = stream.read(&mut asked).unwrap();
        asked.truncate(length);
        // The other side may have heard enough.
        let _ = stream.write_all(answer.as_bytes());
        String::from_utf8(asked).unwrap()
    };
    let thread = thread::spawn(move || answers.into_iter().map(serve).collect());
    (Url::parse(&url).unwrap(), thread)
}

fn way(system: &System) -> Way<'_> {
    Way {
        system,
        proxy: None,
        trusted: false,
        local: true,
        accept: "*/*",
        most: 100,
        begin: Duration::from_secs(20),
        deadline: Instant::now() + Duration::from_secs(20),
    }
}

fn ok(content: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{content}",
        content.len()
    )
}

fn moved(status: u16, to: &str) -> String {
    format!("HTTP/1.1 {status} Moved\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n")
}

#[test]
fn redirections_are_followed_within_bounds() {
    let system = System::default();
    let (url, thread) = server(vec![moved(302, "/a"), moved(307, "b"), ok("here")]);
    assert_eq!(way(&system).fetch(&url, Ask::Get).unwrap(), b"here");
    let asked = thread.join().unwrap();
    assert!(asked[1].starts_with("GET /a ") && asked[2].starts_with("GET /b "));

    let (url, thread) = server(vec![moved(302, "/"); MOST_REDIRECTIONS + 1]);
    assert_eq!(way(&system).fetch(&url, Ask::Get), Err(Fault::Redirected));
    thread.join().unwrap();

    // What was to be posted is not given to whoever is named for something else.
    let (url, thread) = server(vec![moved(302, "/a")]);
    let post = Ask::Post("a/b", b"x");
    assert_eq!(way(&system).fetch(&url, post), Err(Fault::Status(302)));
    thread.join().unwrap();
    let (url, thread) = server(vec![moved(308, "/a"), ok("yes")]);
    assert_eq!(way(&system).fetch(&url, post).unwrap(), b"yes");
    assert!(thread.join().unwrap()[1].starts_with("POST /a "));
}

#[test]
fn nothing_leads_inside_but_what_the_administrator_names() {
    let system = System::parse("", "127.0.0.1 inner.example\n");
    let guarded = Way {
        local: false,
        ..way(&system)
    };
    let refused = |text: &str| {
        let fetched = guarded.fetch(&Url::parse(text).unwrap(), Ask::Get);
        assert!(
            matches!(fetched, Err(Fault::Inside(_))),
            "{text}: {fetched:?}"
        );
    };
    refused("http://127.0.0.1:9/");
    refused("http://inner.example:9/");
    refused("http://localhost:9/");
    refused("http://[::ffff:127.0.0.1]:9/");
    // An address of this machine, which one without a network does not have; and what a translator makes of it.
    let route = UdpSocket::bind("0.0.0.0:0").and_then(|socket| {
        socket.connect("192.0.2.1:9")?;
        socket.local_addr()
    });
    let own = route.map_or(Ipv4Addr::LOCALHOST.into(), |own| own.ip());
    refused(&format!("http://{own}:9/"));
    refused(&format!("http://[64:ff9b::{own}]:9/"));

    let named = Way {
        trusted: true,
        ..guarded
    };
    let (url, thread) = server(vec![ok("x")]);
    assert_eq!(named.fetch(&url, Ask::Get).unwrap(), b"x");
    thread.join().unwrap();
    let (url, thread) = server(vec![moved(302, "/again")]);
    assert!(matches!(named.fetch(&url, Ask::Get), Err(Fault::Inside(_))));
    thread.join().unwrap();
}

#[test]
fn a_proxy_is_asked_for_the_whole_address() {
    let system = System::default();
    let (proxy, thread) = server(vec![ok("x")]);
    let by_proxy = Way {
        proxy: Some(&proxy),
        local: false,
        ..way(&system)
    };
    let url = Url::parse("http://r.example/q").unwrap();
    assert_eq!(by_proxy.fetch(&url, Ask::Get).unwrap(), b"x");
    assert!(thread.join().unwrap()[0].starts_with("GET http://r.example/q HTTP/1.1\r\n"));
    for text in ["http://localhost/", "http://169.254.169.254/"] {
        let fetched = by_proxy.fetch(&Url::parse(text).unwrap(), Ask::Get);
        assert!(matches!(fetched, Err(Fault::Inside(_))));
    }
}

#[test]
fn who_is_late_long_or_not_there() {
    let system = System::default();
    let (url, thread) = server(vec![ok(&"x".repeat(101))]);
    let long = Fault::Http(http::Fault::LongContent);
    assert_eq!(way(&system).fetch(&url, Ask::Get), Err(long));
    thread.join().unwrap();
    let (url, thread) = server(vec![ok("x").replace("200", "404")]);
    assert_eq!(way(&system).fetch(&url, Ask::Get), Err(Fault::Status(404)));
    thread.join().unwrap();

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    let short = Way {
        deadline: Instant::now() + Duration::from_millis(50),
        ..way(&system)
    };
    assert_eq!(short.fetch(&url, Ask::Get), Err(Fault::Late));
    // One that takes whoever comes and says nothing is given up long before all of an answer would be due.
    let silent = Way {
        begin: Duration::from_millis(50),
        deadline: Instant::now() + Duration::from_secs(3600),
        ..way(&system)
    };
    assert_eq!(silent.fetch(&url, Ask::Get), Err(Fault::Late));
    drop(listener);
    let gone = Fault::Connect(io::ErrorKind::ConnectionRefused);
    assert_eq!(way(&system).fetch(&url, Ask::Get), Err(gone));
}

#[test]
fn a_deadline_holds_however_fast_octets_come() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let far = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut near, _) = listener.accept().unwrap();
    near.write_all(b"there is always more").unwrap();
    far.set_nonblocking(true).unwrap();
    let mut octet = [0];
    while far.peek(&mut octet).is_err() {
        thread::yield_now();
    }
    let socket = OwnedFd::from(far);
    let now = Instant::now();
    let late = net::receive(&socket, &mut octet, now).unwrap_err();
    assert_eq!(late.kind(), io::ErrorKind::TimedOut);
    let later = now + Duration::from_secs(20);
    assert_eq!(net::receive(&socket, &mut octet, later).unwrap(), 1);
}
