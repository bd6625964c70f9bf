//! Requests for certificates.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trust::CertificateRequest;

fuzz_target!(|input: &[u8]| {
    if let Ok(request) = CertificateRequest::from_der(input) {
        let again = CertificateRequest::from_pem(&request.to_pem()).expect("its PEM can be read");
        assert_eq!(again, request);
    }
    if let Ok(text) = std::str::from_utf8(input) {
        let _ = CertificateRequest::from_pem(text);
    }
});
