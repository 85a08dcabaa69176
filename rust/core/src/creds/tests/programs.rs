// SPDX-License-Identifier: Apache-2.0
//! Pass phrases from programs, pipes and files.

use super::super::key::KeyKind;
use super::super::passphrase::{Answer, Dialog, Passphrases, Question};
use super::Scratch;
use super::decrypt::open_with;

fn program(dir: &Scratch, name: &str, text: &str) -> String {
    use std::os::unix::fs::PermissionsExt;
    let path = dir.write(name, format!("#!/bin/sh\n{text}\n"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    path
}

#[test]
fn a_program_is_told_the_virtual_host_and_the_key() {
    let dir = Scratch::new("exec");
    let log = dir.path("log");
    let exec = program(
        &dir,
        "ask",
        &format!("echo \"$# $*\" >> {log}; echo 'test phrase'"),
    );
    let source = format!("exec:{exec}");
    let mut dialog = Dialog::default();
    assert_eq!(
        open_with("p256.aes256.enc.pem", &mut dialog, &source),
        Ok(KeyKind::Ecdsa(256))
    );
    assert_eq!(
        open_with("rsa.des3.proc.pem", &mut dialog, &source),
        Ok(KeyKind::Rsa(2048))
    );
    assert_eq!(
        std::fs::read_to_string(&log).unwrap(),
        "2 a.example:443 RSA\n",
        "the known phrase is tried first"
    );
    for (index, kind) in [(1, "DSA"), (2, "ECC"), (3, "3"), (11, "11")] {
        let question = Question {
            source: &source,
            host: "b:1",
            index,
            ..Question::default()
        };
        assert!(matches!(
            Dialog::default().ask(&question),
            Answer::Phrase(_)
        ));
        assert!(
            std::fs::read_to_string(&log)
                .unwrap()
                .ends_with(&format!("\n2 b:1 {kind}\n"))
        );
    }
}

#[test]
fn a_program_without_an_answer_is_named() {
    let dir = Scratch::new("silent");
    let silent = program(&dir, "silent", "exit 7");
    let wrong = program(&dir, "wrong", "echo nonsense");
    for (source, expected) in [
        (
            format!("exec:{silent}"),
            "silent printed no pass phrase (exit status: 7)",
        ),
        (format!("exec:{wrong}"), "is not its pass phrase"),
        ("exec:/none/such".to_owned(), "/none/such cannot be started"),
        (format!("|{silent}"), "ended without a pass phrase"),
        (format!("|{wrong}"), "ended without a pass phrase"),
        ("file:/none/such".to_owned(), "/none/such cannot be read"),
    ] {
        let fault = open_with("p256.aes256.enc.pem", &mut Dialog::default(), &source).unwrap_err();
        assert!(fault.text().contains(expected), "{}", fault.text());
    }
}

#[test]
fn a_pipe_is_asked_up_to_three_times_and_started_once() {
    let dir = Scratch::new("pipe");
    let log = dir.path("log");
    let script = format!(
        "echo start >> {log}; printf 'wrong\\nfalse\\n%s phrase\\n' \"$1\"; cat > {log}.prompts"
    );
    let pipe = format!("|{} test", program(&dir, "pipe", &script));
    let mut dialog = Dialog::default();
    assert_eq!(
        open_with("p256.aes256.proc.pem", &mut dialog, &pipe),
        Ok(KeyKind::Ecdsa(256))
    );
    assert_eq!(
        open_with("rsa.aes256.proc.pem", &mut dialog, &pipe),
        Ok(KeyKind::Rsa(2048))
    );
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "start\n");
    drop(dialog);
    let prompts = std::fs::read_to_string(format!("{log}.prompts")).unwrap();
    assert!(
        prompts.starts_with("mod_tls (Pass Phrase Dialog)\n"),
        "{prompts}"
    );
    let first = "\nPrivate key a.example:443 (p256.aes256.proc.pem)\nEnter pass phrase:";
    let last = "Pass phrase incorrect (1 more try permitted).\nEnter pass phrase:";
    assert!(
        prompts.contains(first) && prompts.ends_with(last),
        "{prompts}"
    );
    let always = format!("|{}", program(&dir, "always", "yes wrong"));
    let fault = open_with("rsa.aes256.proc.pem", &mut Dialog::default(), &always).unwrap_err();
    assert!(
        fault
            .text()
            .contains("the pass phrase was wrong three times"),
        "{}",
        fault.text()
    );
}

#[test]
fn a_file_gives_its_first_line() {
    let dir = Scratch::new("file");
    let file = format!("file:{}", dir.write("phrase", "test phrase\r\nmore\n"));
    assert_eq!(
        open_with("p256.scrypt.enc.pem", &mut Dialog::default(), &file),
        Ok(KeyKind::Ecdsa(256))
    );
}
