//! Finding the description and the service, and trusting its certificate.

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::Arc,
};

use base::{Clock, time::SystemClock};
use exchange::conformance::{Options, Outcome, Rule};
use rustls::{
    ServerConfig, ServerConnection, Stream,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use trust::{
    Algorithm, Authority, CertificateRequest, MemberId,
    ca::{Approval, Profile},
    key::SigningKey,
};

use super::{
    broken, check, options,
    service::{Fault, Service, description},
};

#[tokio::test]
async fn the_description_is_found_from_the_address_of_the_service() {
    let service = Service::with_fault(Fault::None).await;
    for address in [
        format!("http://{}", service.address),
        format!("http://{}/", service.address),
    ] {
        let report = check(options(&address)).await;
        assert_eq!(broken(&report), Vec::<&str>::new(), "{address}");
        assert_eq!(report.description, service.url());
        assert_eq!(report.sha256.len(), 64);
    }
}

#[tokio::test]
async fn the_base_that_is_given_is_called() {
    let described = Service::with_fault(Fault::None).await;
    let called = Service::with_fault(Fault::SwapsTwoIds).await;
    let elsewhere = Options {
        base: Some(format!("http://{}/api", called.address)),
        ..options(&described.url())
    };
    let report = check(elsewhere).await;
    assert!(
        broken(&report).contains(&"answer-of-that-thing"),
        "{:?}",
        broken(&report)
    );
}

/// A server with a certificate of a CA that nobody knows; gives its address and the CA's certificate in PEM.
fn with_private_ca() -> (String, String) {
    let now = SystemClock.now();
    let signer = || Arc::new(SigningKey::generate(Algorithm::EcdsaP256).expect("a key"));
    let authority = Authority::create("CA thử nghiệm", signer(), now, 30).expect("a CA");
    let (key, hosts) = (signer(), vec!["127.0.0.1".to_owned()]);
    let member = MemberId::new("VN", "GOV", "000.00.00.H26").expect("a member");
    let request = CertificateRequest::create(key.as_ref(), &member, &hosts).expect("a request");
    let approval = Approval {
        request: request.fingerprint(),
        member,
        organization: "Ủy ban nhân dân tỉnh Ninh Bình".to_owned(),
        hosts,
        profile: Profile::Node,
        days: 7,
    };
    let certificate = authority.issue(&request, &approval, now).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(key.to_pem().expect("PEM").as_bytes()).expect("a key in DER");
    let chain = vec![CertificateDer::from(certificate.der().to_vec())];
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a certificate with its key");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut tcp = stream.expect("a connection");
            let mut tls = ServerConnection::new(Arc::clone(&config)).expect("a session");
            let mut stream = Stream::new(&mut tls, &mut tcp);
            let mut buffer = [0; 4096];
            // A caller that does not trust the certificate breaks off.
            if stream.read(&mut buffer).is_err() {
                continue;
            }
            let body = description().to_string();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream
                .write_all(head.as_bytes())
                .and_then(|()| stream.write_all(body.as_bytes()));
            tls.send_close_notify();
            let _ = tls.complete_io(&mut tcp);
        }
    });
    (
        format!("https://{address}/openapi.json"),
        authority.certificate().to_pem(),
    )
}

#[tokio::test]
async fn a_certificate_of_a_private_ca_is_trusted_when_the_ca_is_given() {
    let (url, root) = with_private_ca();
    let outcome =
        |report: &exchange::conformance::Report| report.result(Rule::DescriptionRead).map(|result| result.outcome);
    let untrusted = check(options(&url)).await;
    assert_eq!(outcome(&untrusted), Some(Outcome::Broken));
    let finding = &untrusted.result(Rule::ServiceAnswers).expect("a result").findings[0];
    assert!(finding.text.en.contains("TLS"), "{finding:?}");
    let trusted = Options {
        roots: Some(root),
        ..options(&url)
    };
    assert_eq!(outcome(&check(trusted).await), Some(Outcome::Kept));
}
