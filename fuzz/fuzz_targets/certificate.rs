//! Certificates and revocation lists, in DER and in PEM.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trust::{Certificate, Crl};

fn look(certificate: &Certificate) {
    let _ = (certificate.subject(), certificate.issuer(), certificate.serial(), certificate.fingerprint());
    let _ = (certificate.not_before(), certificate.not_after(), certificate.is_authority());
    let _ = (certificate.member(), certificate.public_key(), certificate.key_id());
    let again = Certificate::chain_from_pem(&certificate.to_pem()).expect("its PEM can be read");
    assert_eq!(again.first().map(Certificate::fingerprint), Some(certificate.fingerprint()));
}

fuzz_target!(|input: &[u8]| {
    if let Ok(certificate) = Certificate::from_der(input) {
        look(&certificate);
    }
    if let Ok(list) = Crl::from_der(input) {
        let _ = (list.issuer(), list.der());
    }
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Ok(chain) = Certificate::chain_from_pem(text) {
        chain.iter().for_each(look);
    }
    let _ = Crl::from_pem(text);
});
