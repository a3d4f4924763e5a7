//! Converts a file with a secret to the key that signs messages. Must not sign.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use std::path::PathBuf;

use super::Token;
use super::error::FaultKind;
use super::fields::Fields;

/// The prefix of a secret in the format of Standard Webhooks.
const PREFIX: &str = "whsec_";

/// The least number of bytes of a key.
const KEY_BYTES_MIN: usize = 16;

/// Accepts base64 with or without the `=` at the end.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A secret shared with the receiver of a webhook. It is never displayed.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret {
    token: Token,
    key: Vec<u8>,
}

impl WebhookSecret {
    /// The content of the file, and its path.
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// The key: the decoded base64 after `whsec_`, or else the whole content.
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// Reads the file that `key` names; `None` if it cannot be used, which is recorded as a fault.
    pub(super) fn read(file: PathBuf, key: &'static str, fields: &mut Fields<'_>) -> Option<Self> {
        let token = Token::read(file, key, fields)?;
        let bytes = key_of(token.bytes());
        if bytes.is_none() {
            fields.fault(key, |table| FaultKind::BadWebhookSecret {
                table,
                key,
                file: token.file().to_owned(),
                least: KEY_BYTES_MIN,
            });
        }
        Some(Self { key: bytes?, token })
    }
}

impl std::fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookSecret(..)")
    }
}

/// The key in a secret; `None` if the secret has the prefix but is not base64, or is too short.
fn key_of(secret: &[u8]) -> Option<Vec<u8>> {
    match secret.strip_prefix(PREFIX.as_bytes()) {
        Some(text) => BASE64
            .decode(text)
            .ok()
            .filter(|key| key.len() >= KEY_BYTES_MIN),
        None => Some(secret.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails when one of the two formats is taken for the other, or when invalid base64 is used as a key.
    #[test]
    fn both_forms_of_a_secret_give_their_key() {
        let plain = b"MDEyMzQ1Njc4OWFiY2RlZg==";
        assert_eq!(key_of(plain).as_deref(), Some(plain.as_slice()));
        for text in [
            "whsec_MDEyMzQ1Njc4OWFiY2RlZg==",
            "whsec_MDEyMzQ1Njc4OWFiY2RlZg",
        ] {
            let key = key_of(text.as_bytes());
            assert_eq!(
                key.as_deref(),
                Some(b"0123456789abcdef".as_slice()),
                "{text}"
            );
        }
        for wrong in [
            "whsec_",
            "whsec_MDEyMzQ1Njc4OWFiY2Rl",
            "whsec_0123456789abcdef!!!!",
        ] {
            assert_eq!(key_of(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
