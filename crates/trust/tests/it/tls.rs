use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    ops::DerefMut,
    sync::Arc,
    thread,
};

use rustls::{
    AlertDescription, ClientConfig, ClientConnection, ConnectionCommon, Error, HandshakeKind, RootCertStore,
    ServerConfig, ServerConnection, SideData,
    pki_types::ServerName,
    version::{TLS12, TLS13},
};
use trust::{
    Certificate, Explained, Purpose, Refusals, Revocations, Tls, TrustStore,
    ca::{Profile, Reason, Revocation},
    tls::{Credential, refusals},
};

use crate::common::{DAY, Federation, Mint, key, member, now};

type End<C> = Result<C, Error>;

/// Shakes hands over loopback and passes a byte each way, as an HTTP exchange would.
fn connect(server: ServerConfig, client: ClientConfig) -> (End<ServerConnection>, End<ClientConnection>) {
    connect_again(&Arc::new(server), &Arc::new(client))
}

fn connect_again(
    server: &Arc<ServerConfig>,
    client: &Arc<ClientConfig>,
) -> (End<ServerConnection>, End<ClientConnection>) {
    let (server, client) = open(server, client);
    (server.map(|(c, _)| c), client.map(|(c, _)| c))
}

type Open<C> = Result<(C, TcpStream), Error>;

fn open(server: &Arc<ServerConfig>, client: &Arc<ClientConfig>) -> (Open<ServerConnection>, Open<ClientConnection>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = Arc::clone(server);
    let listening = thread::spawn(move || {
        let (socket, _) = listener.accept().expect("a caller");
        let mut end = (ServerConnection::new(server).expect("a configuration"), socket);
        let outcome = serve(&mut end.0, &mut end.1);
        outcome.map(|()| end)
    });
    let socket = TcpStream::connect(address).expect("the server");
    let name = ServerName::try_from("node.example.vn").expect("a name");
    let mut end = (
        ClientConnection::new(Arc::clone(client), name).expect("a configuration"),
        socket,
    );
    let outcome = call(&mut end.0, &mut end.1).map(|()| end);
    (listening.join().expect("no panic"), outcome)
}

fn serve(connection: &mut ServerConnection, socket: &mut TcpStream) -> Result<(), Error> {
    receive(connection, socket)?;
    send(connection, socket)
}

fn call(connection: &mut ClientConnection, socket: &mut TcpStream) -> Result<(), Error> {
    send(connection, socket)?;
    receive(connection, socket)
}

fn send<S: SideData>(
    connection: &mut impl DerefMut<Target = ConnectionCommon<S>>,
    socket: &mut TcpStream,
) -> Result<(), Error> {
    let mut stream = rustls::Stream::new(connection, socket);
    stream.write_all(b"x").and_then(|()| stream.flush()).map_err(of_io)
}

fn receive<S: SideData>(
    connection: &mut impl DerefMut<Target = ConnectionCommon<S>>,
    socket: &mut TcpStream,
) -> Result<(), Error> {
    rustls::Stream::new(connection, socket)
        .read_exact(&mut [0])
        .map_err(of_io)
}

fn of_io(error: std::io::Error) -> Error {
    let text = error.to_string();
    match error.into_inner().map(|inner| inner.downcast::<Error>()) {
        Some(Ok(error)) => *error,
        _ => Error::General(text),
    }
}

fn code(error: Error) -> &'static str {
    refusals(&error).map_or_else(|| panic!("not about a certificate: {error}"), Refusals::code)
}

fn server_of(tls: &Tls) -> ServerConfig {
    tls.server(&[b"h2"]).expect("a configuration")
}

fn client_of(tls: &Tls, code: &str) -> ClientConfig {
    tls.client(&member(code), &[b"h2"]).expect("a configuration")
}

fn peer_of_server(tls: &Tls, connection: &ServerConnection) -> Result<trust::PeerIdentity, Refusals> {
    tls.peer(connection.peer_certificates(), Purpose::Client)
}

/// One handshake; who the server was.
#[cfg_attr(not(feature = "hsm"), expect(dead_code, reason = "for keys in an HSM"))]
pub fn shake_hands(caller: &Tls, called: &Tls, code: &str) -> trust::PeerIdentity {
    let (server, client) = connect(server_of(called), client_of(caller, code));
    server.expect("the caller is believed");
    let client = client.expect("the one that was called is believed");
    caller
        .peer(client.peer_certificates(), Purpose::Server)
        .expect("a member")
}

#[test]
fn two_members_shake_hands_and_know_each_other() {
    let federation = Federation::new();
    let (a, b) = (federation.node("A"), federation.node("B"));
    let (server, client) = connect(server_of(&b), client_of(&a, "B"));
    let (server, client) = (server.expect("A is believed"), client.expect("B is believed"));
    assert_eq!(peer_of_server(&b, &server).expect("A").member, member("A"));
    assert_eq!(
        a.peer(client.peer_certificates(), Purpose::Server).expect("B").member,
        member("B")
    );
    assert_eq!(client.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_3));
    assert_eq!(client.alpn_protocol(), Some(&b"h2"[..]));
    assert_eq!(a.own().expect("its own").member, member("A"));
}

#[test]
fn the_member_that_was_meant_must_answer() {
    let federation = Federation::new();
    let (a, c) = (federation.node("A"), federation.node("C"));
    let (server, client) = connect(server_of(&c), client_of(&a, "B"));
    assert_eq!(code(client.expect_err("C is not B")), "certificate-wrong-member");
    server.expect_err("nothing was sent to C");
}

#[test]
fn a_caller_without_a_certificate_is_refused() {
    let federation = Federation::new();
    let b = federation.node("B");
    let mut roots = RootCertStore::empty();
    roots.add(federation.root.certificate().der().clone()).expect("a CA");
    let mute =
        ClientConfig::builder_with_details(Arc::new(rustls::crypto::aws_lc_rs::default_provider()), Arc::new(At))
            .with_protocol_versions(&[&TLS13])
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
    let (server, client) = connect(server_of(&b), mute);
    assert_eq!(server.expect_err("mute"), Error::NoCertificatesPresented);
    assert_eq!(
        client.expect_err("told"),
        Error::AlertReceived(AlertDescription::CertificateRequired)
    );
}

/// The clock of clients that are not ours.
#[derive(Debug)]
struct At;

impl rustls::time_provider::TimeProvider for At {
    fn current_time(&self) -> Option<rustls::pki_types::UnixTime> {
        let seconds = u64::try_from(now().micros() / 1_000_000).ok()?;
        Some(rustls::pki_types::UnixTime::since_unix_epoch(
            std::time::Duration::from_secs(seconds),
        ))
    }
}

#[test]
fn tls_1_2_is_refused() {
    let federation = Federation::new();
    let b = federation.node("B");
    let mut roots = RootCertStore::empty();
    roots.add(federation.root.certificate().der().clone()).expect("a CA");
    let old = ClientConfig::builder_with_details(Arc::new(rustls::crypto::aws_lc_rs::default_provider()), Arc::new(At))
        .with_protocol_versions(&[&TLS12])
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let (server, client) = connect(server_of(&b), old);
    server.expect_err("old");
    assert_eq!(
        client.expect_err("told"),
        Error::AlertReceived(AlertDescription::ProtocolVersion)
    );
}

/// A node with any certificate at all, that believes the federation.
fn posing(federation: &Federation, chain: &[&Certificate], key: &rcgen::KeyPair) -> Tls {
    let signer = trust::key::SigningKey::from_pkcs8(&key.serialize_der()).expect("a key");
    let chain: Vec<Certificate> = chain.iter().map(|c| (*c).clone()).collect();
    let credential = Credential::new(&chain, Arc::new(signer)).expect("a pair");
    Tls::new(credential, federation.store(), Arc::new(federation.clock.clone()))
}

#[test]
fn certificates_that_nobody_should_believe_end_the_handshake() {
    let federation = Federation::new();
    let b = federation.node("B");
    let mint = Mint::root("Một Cửa CA", |_| {});
    let foreign = Mint::root("Other", |_| {});
    for (issuer, expected) in [
        (&mint, "certificate-wrong-signature"),
        (&foreign, "certificate-unknown-issuer"),
    ] {
        let key = rcgen::KeyPair::generate().expect("a key");
        let leaf = issuer.leaf_of(&key, "A", |_| {});
        let a = posing(&federation, &[&leaf, &issuer.certificate], &key);
        let (server, _) = connect(server_of(&b), client_of(&a, "B"));
        assert_eq!(code(server.expect_err("not believed")), expected);
        let (_, client) = connect(server_of(&a), client_of(&b, "A"));
        assert_eq!(code(client.expect_err("not believed")), expected);
    }
    federation.clock.set(now().plus_seconds(91 * DAY));
    let a = federation.node("A");
    let (server, client) = connect(server_of(&b), client_of(&a, "B"));
    assert_eq!(code(client.expect_err("expired")), "certificate-expired");
    server.expect_err("ended");
    assert_eq!(b.own().expect_err("expired").code(), "certificate-expired");
}

#[test]
fn a_revoked_member_is_shut_out_at_once_though_it_has_a_session_to_resume() {
    let federation = Federation::new();
    let (credential, certificate) = federation.credential("A");
    let a = Tls::new(credential, federation.store(), Arc::new(federation.clock.clone()));
    let b = federation.node("B");
    let (server, client) = (Arc::new(server_of(&b)), Arc::new(client_of(&a, "B")));
    let (first, _) = connect_again(&server, &client);
    let first = first.expect("believed");
    assert_eq!(first.handshake_kind(), Some(HandshakeKind::Full));
    let (again, _) = connect_again(&server, &client);
    let again = again.expect("believed");
    assert_eq!(
        again.handshake_kind(),
        Some(HandshakeKind::Resumed),
        "sessions are resumed"
    );
    assert_eq!(
        peer_of_server(&b, &again).expect("known from its ticket").member,
        member("A")
    );

    let revocation = Revocation {
        serial: certificate.serial(),
        at: now(),
        invalid_since: None,
        reason: Reason::KeyCompromise,
    };
    let list = federation
        .root
        .revocation_list(&[revocation], 1, now(), DAY)
        .expect("a list");
    let mut revocations = Revocations::default();
    revocations
        .merge(list, [federation.root.certificate()], now())
        .expect("a list");
    b.swap_trust(TrustStore::new(vec![federation.anchor()], revocations));
    let (server, _) = connect_again(&server, &client);
    assert_eq!(code(server.expect_err("revoked")), "certificate-revoked");
    assert_eq!(
        peer_of_server(&b, &again).expect_err("the open connection too").code(),
        "certificate-revoked"
    );
}

#[test]
fn a_certificate_is_swapped_while_connections_are_open() {
    let federation = Federation::new();
    let (a, b) = (federation.node("A"), federation.node("B"));
    let (server, client) = (Arc::new(server_of(&b)), Arc::new(client_of(&a, "B")));
    let (first, calling) = open(&server, &client);
    let ((mut serving, mut inner), (mut calling, mut outer)) = (first.expect("believed"), calling.expect("believed"));
    let before = a.peer(calling.peer_certificates(), Purpose::Server).expect("B");
    let caller_before = peer_of_server(&b, &serving).expect("A").key;

    let generation = (a.generation(), b.generation());
    b.swap_credential(federation.credential("B").0);
    a.swap_credential(federation.credential("A").0);
    assert_eq!((a.generation(), b.generation()), (generation.0 + 1, generation.1 + 1));

    // The open connection goes on.
    send(&mut calling, &mut outer).expect("open");
    receive(&mut serving, &mut inner).expect("open");
    send(&mut serving, &mut inner).expect("open");
    receive(&mut calling, &mut outer).expect("open");

    // A new one, under the same configurations, shows the new certificates.
    let (serving, calling) = connect_again(&server, &client);
    let (serving, calling) = (serving.expect("believed"), calling.expect("believed"));
    assert_eq!(
        calling.handshake_kind(),
        Some(HandshakeKind::Full),
        "no session of the old certificate is resumed"
    );
    let after = a.peer(calling.peer_certificates(), Purpose::Server).expect("B");
    assert_eq!(after.member, before.member);
    assert_ne!(after.key, before.key);
    assert_ne!(peer_of_server(&b, &serving).expect("A").key, caller_before);
}

#[test]
fn many_handshakes_go_through_while_both_sides_rotate() {
    let federation = Federation::new();
    let (a, b) = (federation.node("A"), federation.node("B"));
    let (server, client) = (Arc::new(server_of(&b)), Arc::new(client_of(&a, "B")));
    thread::scope(|scope| {
        let rotating = scope.spawn(|| {
            for _ in 0..40 {
                a.swap_credential(federation.credential("A").0);
                b.swap_credential(federation.credential("B").0);
                b.swap_trust(federation.store());
            }
        });
        for _ in 0..40 {
            let (serving, calling) = connect_again(&server, &client);
            serving.expect("never a pause");
            calling.expect("never a pause");
        }
        rotating.join().expect("no panic");
    });
}

#[test]
fn a_credential_is_a_pair() {
    let federation = Federation::new();
    let signer = key(trust::Algorithm::Ed25519);
    let certificate = federation.issue(signer.as_ref(), &member("A"), Profile::Node);
    let other = Credential::new(&[certificate], key(trust::Algorithm::Ed25519));
    assert_eq!(other.expect_err("another key").code(), "certificate-wrong-key");
    assert_eq!(
        Credential::new(&[], signer).expect_err("none").code(),
        "certificate-missing"
    );
}
