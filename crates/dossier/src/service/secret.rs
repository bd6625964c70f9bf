//! The short secret on a receipt: with the code of the dossier it lets its holder follow the dossier.

use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::Dossiers;
use crate::model::action::DossierId;

/// Crockford's base 32: no I, L, O, U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// 80 bits are 16 characters.
const BYTES: usize = 10;

impl Dossiers {
    /// The secret of a dossier: 80 bits of an HMAC of its id, so that a receipt can be printed again and nothing
    /// needs to be kept. Four groups of four: `7Q2M-X0VA-…`.
    pub fn tracking_secret(&self, id: DossierId) -> String {
        let bytes = self.secret_bytes(id);
        let mut text = String::with_capacity(19);
        let mut bits = 0_u32;
        let mut buffer = 0_u32;
        let mut written = 0;
        for byte in bytes {
            buffer = (buffer << 8) | u32::from(byte);
            bits += 8;
            while bits >= 5 {
                bits -= 5;
                let index = (buffer >> bits) & 31;
                if written > 0 && written % 4 == 0 {
                    text.push('-');
                }
                text.push(char::from(ALPHABET[index as usize]));
                written += 1;
            }
            buffer &= (1 << bits) - 1;
        }
        text
    }

    /// Whether somebody holds the secret: in constant time, forgiving case, hyphens, spaces and look-alikes.
    pub(super) fn secret_fits(&self, id: DossierId, given: &str) -> bool {
        let plain = |text: &str| -> String {
            text.chars()
                .filter(|c| c.is_ascii_alphanumeric())
                .map(|c| match c.to_ascii_uppercase() {
                    'O' => '0',
                    'I' | 'L' => '1',
                    other => other,
                })
                .collect()
        };
        plain(&self.tracking_secret(id))
            .as_bytes()
            .ct_eq(plain(given).as_bytes())
            .into()
    }

    /// The address that the QR code on a receipt carries.
    pub fn tracking_url(&self, id: DossierId, code: &str) -> String {
        let secret = self.tracking_secret(id);
        format!("{}/track/{code}?k={secret}", self.config().public_url)
    }

    fn secret_bytes(&self, id: DossierId) -> [u8; BYTES] {
        let mut out = [0; BYTES];
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.config().secret_key) {
            mac.update(b"tracking");
            mac.update(id.uuid().as_bytes());
            out.copy_from_slice(&mac.finalize().into_bytes()[..BYTES]);
        }
        out
    }
}
