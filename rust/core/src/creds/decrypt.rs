//! Opens encrypted keys.

use super::key::PrivateKey;
use super::passphrase::{Answer, Passphrases, Question};
use super::pem::Block;
use super::problem::Fault;

/// Asks for the pass phrase of an encrypted key and opens it.
///
/// # Errors
/// A row of the fault table where no phrase opens it.
pub fn decrypt_key(
    _block: &Block<'_>,
    question: &Question<'_>,
    passphrases: &mut dyn Passphrases,
) -> Result<PrivateKey, Fault> {
    let file = question.file.to_owned();
    Err(match passphrases.ask(question) {
        Answer::Unchecked => Fault::EncryptedKeyUnchecked { file },
        _ => Fault::EncryptedKey { file },
    })
}
