//! Signatures: Ed25519 (RFC 8032) over a text that begins with what it is for, so that a signature of
//! one thing is never one of another. Keys and signatures are lower-case hexadecimal digits.

use base::{Code, Error, Result};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

/// What a signature is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Somebody approves a version, or withdraws that.
    Approval,
    /// Somebody vouches for a passport.
    Passport,
}

impl Purpose {
    fn message(self, text: &[u8]) -> Vec<u8> {
        let start: &[u8] = match self {
            Self::Approval => b"fettle approval 1\n",
            Self::Passport => b"fettle passport 1\n",
        };
        [start, text].concat()
    }
}

/// Signs a text.
pub(crate) fn sign(secret: &[u8; 32], purpose: Purpose, text: &[u8]) -> String {
    hex(&SigningKey::from_bytes(secret).sign(&purpose.message(text)).to_bytes())
}

/// The public key that goes with a secret one.
pub(crate) fn public_key(secret: &[u8; 32]) -> String {
    hex(SigningKey::from_bytes(secret).verifying_key().as_bytes())
}

/// Fails unless the holder of the secret half of `key` signed this text.
///
/// # Errors
/// [`Code::Corrupt`].
pub(crate) fn verify(key: &str, purpose: Purpose, text: &[u8], signature: &str) -> Result<()> {
    let wrong = |what: &str| Error::new(Code::Corrupt, what.to_owned());
    let key = unhex::<32>(key).and_then(|key| VerifyingKey::from_bytes(&key).ok());
    let key = key.ok_or_else(|| wrong("the key is not one"))?;
    let signature = unhex::<64>(signature).ok_or_else(|| wrong("the signature is not one"))?;
    // The strict check takes no second form of a signature and no weak key.
    key.verify_strict(&purpose.message(text), &Signature::from_bytes(&signature))
        .map_err(|_| wrong("the signature does not fit: it was forged, or what was signed was altered"))
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes from lower-case hexadecimal digits; nothing if they are not that, or not as many.
pub(crate) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |c: u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    if text.len() != 2 * N {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_of_one_text_one_purpose_and_one_key() {
        let secret = [7; 32];
        let (key, signature) = (public_key(&secret), sign(&secret, Purpose::Approval, b"yes"));
        assert!(verify(&key, Purpose::Approval, b"yes", &signature).is_ok());
        assert!(verify(&key, Purpose::Approval, b"no", &signature).is_err());
        assert!(verify(&key, Purpose::Passport, b"yes", &signature).is_err());
        assert!(verify(&public_key(&[8; 32]), Purpose::Approval, b"yes", &signature).is_err());
        assert!(verify(&key.to_uppercase(), Purpose::Approval, b"yes", &signature).is_err());
        assert!(verify("", Purpose::Approval, b"yes", &signature).is_err());
        assert!(verify(&key, Purpose::Approval, b"yes", &signature[2..]).is_err());
    }

    #[test]
    fn a_key_is_that_of_the_standard() {
        // RFC 8032, section 7.1, test 1.
        let secret = unhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").expect("hex");
        assert_eq!(public_key(&secret), "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    }
}
