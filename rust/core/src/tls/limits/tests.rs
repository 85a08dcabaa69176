// SPDX-License-Identifier: Apache-2.0
//! Limits as a connection meets them.

use super::*;

const HOME: &[u8] = &[192, 0, 2, 7];

fn limits(rate: Scopes, under_way: Scopes) -> Arc<Limits> {
    Arc::new(Limits::new(rate, under_way))
}

fn by_address(number: u32) -> Scopes {
    Scopes {
        address: number,
        ..Scopes::default()
    }
}

fn begin(limits: &Arc<Limits>, address: &[u8]) -> Result<Entered, Exceeded> {
    Entered::begin(limits.clone(), address, 1)
}

#[test]
fn an_address_is_itself_or_its_64() {
    let v6 = |text: &str| subject(&text.parse::<Ipv6Addr>().unwrap().octets());
    assert_eq!(v6("2001:db8:1:2::1"), v6("2001:db8:1:2:ffff::"));
    assert_ne!(v6("2001:db8:1:2::1"), v6("2001:db8:1:3::1"));
    assert_eq!(v6("::ffff:192.0.2.7"), subject(HOME));
    assert_ne!(subject(HOME), subject(&[192, 0, 2, 8]));
    assert_ne!(v6("::"), subject(&[0; 4]));
    for translated in ["64:ff9b::192.0.2.7", "64:ff9b:1::192.0.2.7"] {
        assert_eq!(v6(translated), subject(HOME), "{translated}");
    }
    assert_ne!(v6("64:ff9b::192.0.2.7"), v6("64:ff9b::192.0.2.8"));
    assert!(subject(b"socket").is_none() && subject(b"").is_none());
}

#[test]
fn handshakes_under_way_end_with_their_connections() {
    let limits = limits(Scopes::default(), by_address(2));
    let (one, _two) = (begin(&limits, HOME).unwrap(), begin(&limits, HOME).unwrap());
    assert_eq!(begin(&limits, HOME).err(), Some(Exceeded::AddressUnderWay));
    assert!(begin(&limits, &[192, 0, 2, 8]).is_ok());
    drop(one);
    assert!(begin(&limits, HOME).is_ok());
    assert_eq!(
        limits.total.load(Ordering::Relaxed),
        1,
        "nothing is lost count of"
    );
}

#[test]
fn an_address_that_nobody_knows_has_no_limit_of_its_own() {
    let limits = limits(by_address(1), by_address(1));
    let mut open: Vec<_> = (0..9).map(|_| begin(&limits, b"").unwrap()).collect();
    assert!(open.iter_mut().all(|one| one.admit(|| false).is_ok()));
}

#[test]
fn the_server_s_limit_is_shared_out_among_children() {
    let under_way = Scopes {
        server: 5,
        ..Scopes::default()
    };
    let limits = limits(Scopes::default(), under_way);
    let begin = |children| Entered::begin(limits.clone(), HOME, children);
    let mut open: Vec<_> = (0..2).map(|_| begin(2).unwrap()).collect();
    assert_eq!(
        begin(2).err(),
        Some(Exceeded::ServerUnderWay),
        "all together at most"
    );
    assert!(begin(9).is_err() && Entered::begin(limits.clone(), HOME, 1).is_ok());
    open.extend((0..3).map(|_| begin(1).unwrap()));
    assert_eq!(begin(1).err(), Some(Exceeded::ServerUnderWay));
    assert_eq!(begin(0).err(), Some(Exceeded::ServerUnderWay), "httpd -X");
}

#[test]
fn full_handshakes_need_a_token_and_resumptions_have_ten_times_as_many() {
    let limits = limits(by_address(2), Scopes::default());
    let admit = |resumes: bool| {
        let mut entered = begin(&limits, HOME).unwrap();
        entered.admit(|| resumes).map(|()| entered)
    };
    for _ in 0..8 {
        admit(false).unwrap().settle(true); // it turned out to be a resumption
    }
    assert!(admit(false).is_ok() && admit(false).is_ok());
    assert_eq!(admit(false).err(), Some(Exceeded::AddressRate));
    let resumed = (0..500).map_while(|_| admit(true).ok());
    let resumed = resumed.map(|mut entered| entered.settle(true)).count();
    assert!(
        (12..30).contains(&resumed),
        "one ticket, shown again and again: {resumed}"
    );
    assert_eq!(admit(true).err(), Some(Exceeded::AddressRate));
}

/// Each of them has exchanged keys by the time that it is refused.
#[test]
fn who_has_a_session_and_does_not_resume_it_has_no_more_tries_than_resumptions() {
    for scopes in [(3, 0, 0), (0, 3, 0), (0, 0, 3), (3, 3, 3)] {
        let (address, child, server) = scopes;
        let limits = limits(
            Scopes {
                address,
                child,
                server,
            },
            Scopes::default(),
        );
        let (mut full, mut tries) = (0, 0);
        for _ in 0..1000 {
            let mut entered = begin(&limits, HOME).unwrap();
            if entered.admit(|| true).is_err() {
                continue;
            }
            if entered.must_resume() {
                tries += 1;
                assert!(entered.refuse().is_some(), "what it exceeds");
                assert_eq!(entered.refuse(), None, "said once");
            } else {
                full += 1;
            }
            entered.settle(false);
        }
        assert!(
            full <= 4 && (30..60).contains(&tries),
            "{scopes:?}: {full}, {tries}"
        );
    }
}

#[test]
fn what_was_paid_before_is_not_paid_again_and_given_back_once() {
    let limits = limits(by_address(1), Scopes::default());
    for _ in 0..9 {
        let mut entered = begin(&limits, HOME).unwrap();
        assert_eq!((entered.pay(), entered.pay()), (Ok(()), Ok(())));
        assert!(entered.admit(|| false).is_ok());
        entered.settle(true);
    }
    assert!(begin(&limits, HOME).unwrap().pay().is_ok());
    let mut entered = begin(&limits, HOME).unwrap();
    assert_eq!(entered.pay(), Err(Exceeded::AddressRate));
    assert_eq!(entered.admit(|| false), Err(Exceeded::AddressRate));
    assert!(entered.admit(|| true).is_ok());
}

#[test]
fn what_one_limit_refuses_is_not_taken_from_the_others() {
    let rate = Scopes {
        address: 100,
        child: 2,
        server: 100,
    };
    let limits = limits(rate, Scopes::default());
    let admit = || begin(&limits, HOME).unwrap().admit(|| false);
    assert!(admit().is_ok() && admit().is_ok());
    for _ in 0..500 {
        assert_eq!(admit(), Err(Exceeded::ChildRate));
    }
    let left = limits.table.buckets(
        limits.who(HOME).unwrap(),
        Rate::shared(100, 1).unwrap(),
        0,
        |buckets| buckets.missing(Rate::shared(100, 1).unwrap(), 0),
    );
    assert!(left.is_some_and(|missing| missing <= 2_000_000), "{left:?}");
}
