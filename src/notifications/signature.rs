//! Computes the HMAC-SHA-256 signature of a message. Must not send.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
pub(super) use hmac::digest::InvalidLength;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::hex;

/// The value of `webhook-signature` according to Standard Webhooks: the signature of id, timestamp in seconds and body, joined by
/// dots. Accepts keys of every length.
pub(super) fn sign(
    key: &[u8],
    id: &str,
    timestamp: u64,
    body: &[u8],
) -> Result<String, InvalidLength> {
    let head = format!("{id}.{timestamp}.");
    let mac = digest(key, &[head.as_bytes(), body])?;
    Ok(format!("v1,{}", STANDARD.encode(mac)))
}

/// The value of `X-Hotcut-Signature`, the signature of the body alone: `sha256=` and 64 hex digits.
pub(super) fn sign_body(key: &[u8], body: &[u8]) -> Result<String, InvalidLength> {
    Ok(format!("sha256={}", hex::encode(&digest(key, &[body])?)))
}

fn digest(key: &[u8], parts: &[&[u8]]) -> Result<[u8; 32], InvalidLength> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key)?;
    for part in parts {
        mac.update(part);
    }
    Ok(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test cases 2 and 6. Fails when the key or the body is not signed as receivers expect.
    #[test]
    fn known_bodies_have_their_known_signatures() {
        assert_eq!(
            sign_body(b"Jefe", b"what do ya want for nothing?").unwrap(),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            sign_body(
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First"
            )
            .unwrap(),
            "sha256=60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }

    /// Fails when a Standard Webhooks library would refuse the message: the expected text was computed by other code.
    #[test]
    fn message_has_the_signature_of_standard_webhooks() {
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = sign(
            &key,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(
            signed.unwrap(),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }
}
