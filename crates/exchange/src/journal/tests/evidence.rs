//! Containers: whole ones are accepted, and whatever is wrong with one is named.

use std::{io::Write, process::Command};

use base::{Clock, time::SystemClock};
use ledger::{Algorithm, FileKey, Policy, Signer, Stamp};
use sha2::{Digest, Sha256};

use super::{Call, Node, PERSON, call, nodes, read_of};
use crate::journal::evidence::{Report, Stamped, archive, open, seal, verify_container};

/// A container of a whole exchange, and the node that made it.
async fn made() -> (Vec<u8>, Node, Call) {
    let node = nodes(|_| {}).await.remove(0);
    // So that the tree has some height.
    for n in 10..20 {
        node.log_call(&call(n), None).await;
    }
    let call = call(1);
    let [request, ..] = node.log_call(&call, Some(&read_of(&call, PERSON, node.now()))).await;
    let bytes = node
        .journal
        .message_evidence(&node.auditor(), request)
        .await
        .expect("evidence");
    (bytes, node, call)
}

fn codes(report: &Report) -> Vec<(&str, &str)> {
    report
        .faults
        .iter()
        .map(|fault| (fault.code, fault.at.as_str()))
        .collect()
}

/// The container with one file changed, added or left out, its manifest made anew: what an attacker would do.
fn forged(bytes: &[u8], change: impl FnOnce(&mut Vec<(String, Vec<u8>)>)) -> Vec<u8> {
    let mut files = open(bytes).expect("a container");
    files.retain(|(name, _)| name != "META-INF/ASiCManifest.xml");
    change(&mut files);
    seal(files)
}

fn file<'a>(files: &'a mut [(String, Vec<u8>)], name: &str) -> &'a mut Vec<u8> {
    &mut files.iter_mut().find(|(found, _)| found == name).expect(name).1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_container_is_accepted_by_the_key_of_the_log_alone() {
    let (bytes, node, call) = made().await;
    let report = verify_container(&bytes, &node.policy(), None);
    assert!(report.is_whole(), "{report:?}");
    let roles: Vec<_> = report.leaves.iter().map(|leaf| leaf.role.code()).collect();
    assert_eq!(roles, ["request", "answer", "read"]);
    assert_eq!(report.leaves[0].record, call.request.to_bytes());
    assert_eq!(report.leaves[0].origin, super::ORIGIN);
    // Other tools read it, and find the type first.
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(&bytes).expect("written");
    let script = "import sys,zipfile,hashlib,base64,re\nz=zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\n\
        assert z.namelist()[0]=='mimetype'\nm=z.read('META-INF/ASiCManifest.xml').decode()\n\
        for u,d in re.findall(r'URI=\"([^\"]+)\" MimeType=\"[^\"]+\">.*?<ds:DigestValue>([^<]+)',m,re.S):\n\
        \x20 assert base64.b64encode(hashlib.sha256(z.read(u)).digest()).decode()==d, u\n\
        print(len(z.namelist()), z.read('directory.json').decode().count('000.00.00.G01'))";
    let said = Command::new("python3")
        .arg("-c")
        .arg(script)
        .arg(file.path())
        .output()
        .expect("python3");
    assert_eq!(
        String::from_utf8_lossy(&said.stdout).trim(),
        "15 1",
        "{}",
        String::from_utf8_lossy(&said.stderr)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_byte_can_be_changed() {
    let (bytes, node, _) = made().await;
    let policy = node.policy();
    assert!(verify_container(&bytes, &policy, None).is_whole());
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        let report = verify_container(&changed, &policy, None);
        assert!(!report.is_whole(), "byte {at} of {} can be changed", bytes.len());
        assert!(
            report
                .faults
                .iter()
                .all(|fault| !fault.text.vi.is_empty() && !fault.text.en.is_empty())
        );
    }
    for length in (0..bytes.len()).step_by(97) {
        assert!(!verify_container(&bytes[..length], &policy, None).is_whole());
    }
    assert!(!verify_container(&[&bytes[..], b"x"].concat(), &policy, None).is_whole());
    assert!(!verify_container(&[b"x", &bytes[..]].concat(), &policy, None).is_whole());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_forgery_is_named() {
    let (bytes, node, _) = made().await;
    let judge = |bytes: &[u8]| {
        let report = verify_container(bytes, &node.policy(), None);
        assert!(!report.is_whole());
        codes(&report)
            .into_iter()
            .map(|(code, at)| format!("{code} {at}"))
            .collect::<Vec<_>>()
    };
    assert!(
        verify_container(&forged(&bytes, |_| {}), &node.policy(), None).is_whole(),
        "sealing again changes nothing"
    );

    let altered = forged(&bytes, |files| {
        let record = file(files, "request/record.txt");
        *record = String::from_utf8_lossy(record)
            .replace("nhanthan", "nhanthAn")
            .into_bytes();
    });
    assert_eq!(
        judge(&altered),
        [
            "record-altered request/record.txt",
            "answer-of-another-request answer/record.txt"
        ]
    );

    let swapped = forged(&bytes, |files| {
        let other = file(files, "answer/proof.txt").clone();
        *file(files, "request/proof.txt") = other;
    });
    assert_eq!(judge(&swapped), ["proof-swapped request/proof.txt"]);

    let no_salt = forged(&bytes, |files| files.retain(|(name, _)| name != "request/salt.txt"));
    assert_eq!(judge(&no_salt), ["salt-missing request/salt.txt"]);
    let bad_salt = forged(&bytes, |files| *file(files, "request/salt.txt") = b"AAAA\n".to_vec());
    assert_eq!(judge(&bad_salt), ["salt-malformed request/salt.txt"]);
    let other_salt = forged(&bytes, |files| {
        let other = file(files, "answer/salt.txt").clone();
        *file(files, "request/salt.txt") = other;
    });
    assert_eq!(judge(&other_salt), ["record-altered request/record.txt"]);

    let no_record = forged(&bytes, |files| files.retain(|(name, _)| name != "answer/record.txt"));
    assert_eq!(judge(&no_record), ["record-missing answer/record.txt"]);
    let no_proof = forged(&bytes, |files| files.retain(|(name, _)| name != "answer/proof.txt"));
    assert_eq!(judge(&no_proof), ["proof-missing answer/proof.txt"]);
    let no_text = forged(&bytes, |files| *file(files, "answer/proof.txt") = b"x".to_vec());
    assert_eq!(judge(&no_text), ["malformed-proof answer/proof.txt"]);
    let moved = forged(&bytes, |files| {
        let proof = file(files, "read/proof.txt");
        *proof = String::from_utf8_lossy(proof)
            .replace("index 22", "index 21")
            .into_bytes();
    });
    assert_eq!(judge(&moved), ["not-included read/proof.txt"]);
    let no_checkpoint = forged(&bytes, |files| file(files, "checkpoint").push(b'x'));
    assert!(judge(&no_checkpoint).contains(&"checkpoint-other request/proof.txt".to_owned()));

    let strange = forged(&bytes, |files| files.push(("virus.exe".to_owned(), b"x".to_vec())));
    assert_eq!(judge(&strange), ["file-unknown virus.exe"]);
    let no_readme = forged(&bytes, |files| files.retain(|(name, _)| name != "README.txt"));
    assert_eq!(judge(&no_readme), ["file-missing README.txt"]);

    // Without the manifest being made anew, the file that was changed is named.
    let mut files = open(&bytes).expect("a container");
    file(&mut files, "keys.txt").push(b'x');
    assert_eq!(judge(&archive(&files)), ["file-altered keys.txt"]);
    let mut files = open(&bytes).expect("a container");
    file(&mut files, "META-INF/ASiCManifest.xml").push(b' ');
    assert_eq!(judge(&archive(&files)), ["manifest-altered META-INF/ASiCManifest.xml"]);
    assert_eq!(judge(b"no zip"), ["container-malformed "]);
    assert_eq!(
        judge(&archive(&[])),
        [
            "media-type mimetype",
            "file-missing README.txt",
            "file-missing checkpoint",
            "file-missing keys.txt",
            "file-missing META-INF/ASiCManifest.xml",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_log_or_too_few_witnesses_prove_nothing() {
    let (bytes, node, _) = made().await;
    let other = FileKey::generate("other.example/log", Algorithm::Ed25519).expect("a key");
    let report = verify_container(&bytes, &Policy::log(other.verifier()), None);
    assert_eq!(codes(&report), [("unknown-log", "checkpoint"); 3]);
    let same_name = FileKey::generate(super::ORIGIN, Algorithm::Ed25519).expect("a key");
    let report = verify_container(&bytes, &Policy::log(same_name.verifier()), None);
    assert_eq!(
        codes(&report)[0].0,
        "unknown-log",
        "a key of the same name is another key"
    );
    let witness = FileKey::generate("witness.example", Algorithm::CosignatureV1).expect("a key");
    let policy = Policy::new(vec![node.key.verifier()], vec![witness.verifier()], 1).expect("a policy");
    assert_eq!(
        codes(&verify_container(&bytes, &policy, None)),
        [("too-few-witnesses", "checkpoint"); 3]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_another_request_is_noticed() {
    for node in nodes(|_| {}).await {
        let (one, two) = (call(1), call(2));
        node.log_call(&one, Some(&read_of(&two, PERSON, node.now()))).await;
        node.log_call(&two, None).await;
        use crate::journal::evidence::Role;
        let bytes = node
            .journal
            .contain(vec![
                (Role::Request, 0.into()),
                (Role::Answer, 4.into()),
                (Role::Read, 2.into()),
            ])
            .await
            .expect("made");
        let report = verify_container(&bytes, &node.policy(), None);
        assert_eq!(
            codes(&report),
            [
                ("answer-of-another-request", "answer/record.txt"),
                ("read-of-another-request", "read/read.json")
            ]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn asic_answers_as_x_road_does() {
    for node in nodes(|_| {}).await {
        let call = call(1);
        node.log_call(&call, None).await;
        let caller = super::subsystem(super::CLIENT);
        let who = "&xRoadInstance=VN&memberClass=GOV&memberCode=000.00.00.H26&subsystemCode=motcua";
        let ask = async |query: &str| node.journal.asic(&caller, Some(&format!("queryId={query}"))).await;
        let asic = ask(&format!("{}{who}", call.message_id)).await.expect("an archive");
        assert_eq!(asic.name, "VN-1.zip");
        let files = open(&asic.bytes).expect("a ZIP");
        let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["VN-1-response-1.asice", "VN-1-request-0.asice"]);
        for (name, bytes) in &files {
            assert!(verify_container(bytes, &node.policy(), None).is_whole(), "{name}");
        }
        let only = async |query: &str| {
            let asic = ask(&format!("VN-1{who}&{query}")).await.expect("an archive");
            open(&asic.bytes).expect("a ZIP").len()
        };
        assert_eq!(
            (
                only("requestOnly").await,
                only("responseOnly").await,
                only("unique").await
            ),
            (1, 1, 2)
        );
        let status = async |query: &str| ask(query).await.map_err(|no| no.status).err();
        assert_eq!(status("VN-2&x").await, Some(400), "who asked is not said");
        assert_eq!(status(who).await, Some(400), "nothing is asked");
        assert_eq!(status(&format!("VN-1{who}&requestOnly&responseOnly")).await, Some(400));
        assert_eq!(
            status(&format!("VN-1{}", who.replace("motcua", "khac"))).await,
            Some(401)
        );
        assert_eq!(status(&format!("VN-2{who}")).await, Some(404));
    }
}

/// A token of a real authority (`openssl ts`) over a digest, and the CA that is to be believed.
fn stamp(digest: [u8; 32]) -> (Vec<u8>, trust::TrustStore) {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).expect("written");
    let openssl = |arguments: &str| {
        let done = Command::new("openssl")
            .args(arguments.split(' '))
            .current_dir(folder.path())
            .output()
            .expect("openssl");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        done.stdout
    };
    write(
        "ts.cnf",
        b"[tsa]\ndefault_tsa = here\n[here]\nserial = serial\nsigner_cert = tsa.pem\ncerts = ca.pem\nsigner_key = tsa.key\n\
          signer_digest = sha256\ndefault_policy = 1.2.3.4.1\ndigests = sha256\ness_cert_id_alg = sha256\n[good]\n\
          keyUsage = critical,digitalSignature\nextendedKeyUsage = critical,timeStamping\n",
    );
    write("serial", b"01\n");
    let new = "req -new -nodes -newkey rsa:2048";
    openssl(&format!(
        "{new} -x509 -keyout ca.key -out ca.pem -days 9 -subj /CN=TSA-root"
    ));
    openssl(&format!("{new} -keyout tsa.key -out tsa.csr -subj /CN=TSA"));
    openssl(
        "x509 -req -in tsa.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 9 -extfile ts.cnf -extensions good -out tsa.pem",
    );
    let query = trust::timestamp::Query::new(digest).expect("a question");
    write("query", query.der());
    let answer = openssl("ts -reply -config ts.cnf -queryfile query -section here");
    let ca = trust::Certificate::load_chain(&folder.path().join("ca.pem"))
        .expect("a CA")
        .remove(0);
    let anchor = trust::Anchor::new(ca, trust::certificate::Scope::Everyone).expect("a CA");
    let store = trust::TrustStore::new(vec![anchor], trust::Revocations::default());
    let token = query.verify(&answer, &store, SystemClock.now()).expect("a token");
    (token.der, store)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timestamp_is_in_the_container_and_is_judged() {
    let node = nodes(|_| {}).await.remove(0);
    let call = call(1);
    let [request, ..] = node.log_call(&call, None).await;
    let checkpoint = (*node.log.checkpoint()).clone();
    let (token, store) = stamp(Sha256::digest(checkpoint.to_string()).into());
    let stamp = Stamp { checkpoint, token };
    node.log.stamp(&stamp).expect("kept");
    // The log goes on; the stamp stays what it was.
    node.log_call(&super::call(2), None).await;
    let bytes = node
        .journal
        .message_evidence(&node.auditor(), request)
        .await
        .expect("evidence");
    let report = verify_container(&bytes, &node.policy(), Some(&store));
    assert!(report.is_whole(), "{report:?}");
    assert!(
        report
            .leaves
            .iter()
            .all(|leaf| matches!(leaf.stamped, Some(Stamped::At { .. })))
    );
    let unjudged = verify_container(&bytes, &node.policy(), None);
    assert!(
        unjudged.is_whole()
            && unjudged
                .leaves
                .iter()
                .all(|leaf| leaf.stamped == Some(Stamped::Unjudged))
    );

    let judge = |bytes: &[u8]| {
        let report = verify_container(bytes, &node.policy(), Some(&store));
        let codes: std::collections::BTreeSet<_> = report.faults.iter().map(|fault| fault.code).collect();
        codes.into_iter().collect::<Vec<_>>()
    };
    let without = |name: &str| forged(&bytes, |files| files.retain(|(found, _)| found != name));
    assert_eq!(judge(&without("timestamp/token.tst")), ["timestamp-incomplete"]);
    assert_eq!(judge(&without("request/stamped.txt")), ["timestamp-incomplete"]);
    let swapped = forged(&bytes, |files| {
        let other = file(files, "answer/stamped.txt").clone();
        *file(files, "request/stamped.txt") = other;
    });
    assert_eq!(judge(&swapped), ["timestamp-other-leaf"]);
    let spoiled = forged(&bytes, |files| {
        let token = file(files, "timestamp/token.tst");
        let last = token.len() - 1;
        token[last] ^= 1;
    });
    assert_eq!(judge(&spoiled).len(), 1, "the token's signature is false");
    let later = forged(&bytes, |files| {
        let now = node.log.checkpoint().to_string().into_bytes();
        *file(files, "timestamp/checkpoint") = now;
    });
    assert_eq!(judge(&later), ["checkpoint-other"]);
}
