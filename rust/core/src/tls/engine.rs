// SPDX-License-Identifier: Apache-2.0
//! rustls' connection API, of both sides. No other file calls it, so that a new shape of it is a port of this one.

use std::sync::Arc;

use rustls::client::{ClientConfig, UnbufferedClientConnection};
use rustls::server::{ServerConfig, UnbufferedServerConnection};
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncryptError, UnbufferedStatus, WriteTraffic,
};
use rustls::{CommonState, Error, HandshakeKind};
use rustls_pki_types::ServerName;

/// A connection of rustls, seen from either end.
pub enum RustlsConnection {
    /// A client connected to us.
    Server(Box<UnbufferedServerConnection>),
    /// We connected to a backend.
    Client(Box<UnbufferedClientConnection>),
}

/// What one step led to.
pub enum Step {
    /// There may be more to do.
    Again,
    /// Nothing more without more input.
    Wait,
    /// The peer has sent close_notify.
    PeerClosed,
    /// Data was written.
    Written,
    /// The connection is over.
    Failed(Error),
}

/// The keys of a connection have encrypted all that they may (RFC 8446 5.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhausted;

/// Writes data when it may be written, after what has to be sent before it.
pub type Write<'a> = &'a mut dyn FnMut(&mut dyn Seal, &[u8]);

/// What may be written once the handshake allows it.
pub trait Seal {
    /// Encrypts all of `plaintext` into `out`; the number of bytes written, `None` where they do not fit.
    ///
    /// # Errors
    /// When the keys are used up.
    fn encrypt(&mut self, plaintext: &[u8], out: &mut [u8]) -> Result<Option<usize>, Exhausted>;
    /// Puts a close_notify alert into `out`; the number of bytes written.
    fn close_notify(&mut self, out: &mut [u8]) -> Option<usize>;
}

impl<Data> Seal for WriteTraffic<'_, Data> {
    fn encrypt(&mut self, plaintext: &[u8], out: &mut [u8]) -> Result<Option<usize>, Exhausted> {
        match WriteTraffic::encrypt(self, plaintext, out) {
            Ok(written) => Ok(Some(written)),
            Err(EncryptError::InsufficientSize(_)) => Ok(None),
            Err(EncryptError::EncryptExhausted) => Err(Exhausted),
        }
    }

    fn close_notify(&mut self, out: &mut [u8]) -> Option<usize> {
        self.queue_close_notify(out).ok()
    }
}

/// Where the results of a step go.
pub struct StepIo<'a> {
    /// Bytes for the network.
    pub outgoing: &'a mut Vec<u8>,
    /// Takes plaintext, record by record.
    pub sink: &'a mut dyn FnMut(&[u8]),
    /// Called when data may be written.
    pub write: Option<Write<'a>>,
}

impl RustlsConnection {
    /// The server's end.
    ///
    /// # Errors
    /// What rustls finds wrong with the configuration.
    pub fn server(config: Arc<ServerConfig>) -> Result<Self, Error> {
        UnbufferedServerConnection::new(config).map(|tls| Self::Server(Box::new(tls)))
    }

    /// The client's end, towards `name`, offering `alpn`.
    ///
    /// # Errors
    /// What rustls finds wrong with the configuration.
    pub fn client(
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
        alpn: Vec<Vec<u8>>,
    ) -> Result<Self, Error> {
        UnbufferedClientConnection::new_with_alpn(config, name, alpn)
            .map(|tls| Self::Client(Box::new(tls)))
    }

    /// Goes on by one state; the first value says how many bytes of `input` are consumed.
    pub fn step(&mut self, input: &mut [u8], io: &mut StepIo<'_>) -> (usize, Step) {
        match self {
            Self::Server(tls) => handle(tls.process_tls_records(input), io),
            Self::Client(tls) => handle(tls.process_tls_records(input), io),
        }
    }

    /// The client was sent a HelloRetryRequest.
    pub fn awaits_second_hello(&self) -> bool {
        matches!(self, Self::Server(_))
            && self.common().is_handshaking()
            && self.common().handshake_kind() == Some(HandshakeKind::FullWithHelloRetryRequest)
    }

    /// What both ends have in common.
    pub fn common(&self) -> &CommonState {
        match self {
            Self::Server(tls) => tls,
            Self::Client(tls) => tls,
        }
    }
}

fn handle<Data>(status: UnbufferedStatus<'_, '_, Data>, io: &mut StepIo<'_>) -> (usize, Step) {
    let UnbufferedStatus { discard, state } = status;
    let next = match state {
        Ok(ConnectionState::ReadTraffic(mut traffic)) => loop {
            match traffic.next_record() {
                Some(Ok(record)) => (io.sink)(record.payload),
                Some(Err(error)) => break Step::Failed(error),
                None => break Step::Again,
            }
        },
        Ok(ConnectionState::EncodeTlsData(mut data)) => {
            let end = io.outgoing.len();
            if let Err(EncodeError::InsufficientSize(needed)) = data.encode(&mut []) {
                io.outgoing.resize(end + needed.required_size, 0);
                if let Some(space) = io.outgoing.get_mut(end..) {
                    // cannot fail: the space is as large as was asked for
                    let _ = data.encode(space);
                }
            }
            Step::Again
        }
        Ok(ConnectionState::TransmitTlsData(data)) => {
            data.done();
            Step::Again
        }
        Ok(ConnectionState::WriteTraffic(mut traffic)) => match io.write.as_mut() {
            Some(write) => {
                write(&mut traffic, io.outgoing);
                io.outgoing.clear();
                Step::Written
            }
            None => Step::Wait,
        },
        Ok(ConnectionState::PeerClosed) => Step::PeerClosed,
        Ok(_) => Step::Wait,
        Err(error) => Step::Failed(error),
    };
    (discard, next)
}
