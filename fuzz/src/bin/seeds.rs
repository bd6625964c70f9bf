//! Writes good inputs for every target into `corpus/`, made by the code itself: the fuzzer starts from them.

use std::{error::Error, fs, path::Path, sync::Arc};

use base::{Timestamp, time::SystemClock, Clock};
use ledger::{FileKey, Kind, Log, Options, tiles::TilePath, witness::AddCheckpoint};
use trust::{
    Authority, CertificateRequest, MemberId, Signer,
    ca::{Approval, Profile},
    key::SigningKey,
};

fn main() -> Result<(), Box<dyn Error>> {
    texts()?;
    records()?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(log())?;
    certificates(SystemClock.now())
}

fn put(target: &str, name: &str, bytes: impl AsRef<[u8]>) -> Result<(), Box<dyn Error>> {
    let folder = Path::new("corpus").join(target);
    fs::create_dir_all(&folder)?;
    Ok(fs::write(folder.join(name), bytes)?)
}

fn texts() -> Result<(), Box<dyn Error>> {
    let head = "X-Road-Client: VN/GOV/000.00.00.H26/motcua\nX-Motcua-Purpose: dossier.verify\nX-Road-Id: VN-1\nAccept: */*\n\
                X-Road-Security-Server: VN/GOV/000.00.00.G22/ss1\nX-Road-UserId: VN001185000011\nConnection: close, x-a\nx-a: b\n\
                X-Road-Represented-Party: GOV/H26\nIM-Client: VN/GOV/H26/motcua";
    for (name, target) in [
        ("xroad", "/r1/VN/GOV/000.00.00.G22/dvcqg/hoso/v1/items/%C3%A1?x=1&y=a%20b"),
        ("adapter", "/XrdAdapter/RestService/forward/mapi/login?dstcode=VN:GOV:000.00.00.G22:vpcp&providerurl=http://a"),
        ("vxp", "/VXPAdapter/RestService/forward/mapi/login?dstcode=VN:GOV:G22:vpcp"),
    ] {
        put("request", name, format!("{target}\n{head}"))?;
    }
    for (n, text) in ["VN/GOV/000.00.00.H26", "VN/GOV/H26/motcua", "VN/GOV/H26/motcua/hoso", "VN:GOV:000.00.00.G22:vpcp", "/v1/*/items/**", "dossier.verify"].iter().enumerate() {
        put("identifier", &n.to_string(), text)?;
    }
    for (n, text) in ["tile/0/x001/234.p/17", "tile/entries/000", "tile/3/x001/x234/067", "tile/63/000.p/1"].iter().enumerate() {
        put("tile", &n.to_string(), text)?;
    }
    Ok(())
}

fn records() -> Result<(), Box<dyn Error>> {
    for name in ["request", "answer"] {
        let path = format!("{}/../crates/exchange/tests/vectors/{name}.txt", env!("CARGO_MANIFEST_DIR"));
        put("record", name, fs::read(path)?)?;
    }
    Ok(())
}

async fn log() -> Result<(), Box<dyn Error>> {
    let folder = Path::new("corpus").join(".log");
    let _ = fs::remove_dir_all(&folder);
    let key = FileKey::generate("motcua.example/fuzz", ledger::Algorithm::Ed25519)?;
    put("note", "key", ledger::Signer::verifier(&key).to_string())?;
    let log = Log::open(&folder, Options::new("motcua.example/fuzz", Arc::new(key)))?;
    let mut receipts = Vec::new();
    for n in 0..9 {
        receipts.push(log.append(Kind::MESSAGE, format!("record {n}").into_bytes()).await?);
    }
    for (n, receipt) in receipts.iter().enumerate() {
        put("proof", &format!("closed-{n}"), receipt.proof().to_string())?;
    }
    put("proof", "open", log.disclose(4)?.to_string())?;
    let checkpoint = log.checkpoint();
    put("note", "checkpoint", checkpoint.to_string())?;
    let request = AddCheckpoint {
        old: 5,
        proof: log.consistency(5, 9)?,
        checkpoint: (*checkpoint).clone(),
    };
    put("note", "add-checkpoint", request.to_string())?;
    for path in ["tile/0/000.p/9", "tile/entries/000.p/9"] {
        if let Some(tile) = TilePath::parse(path).map(|path| log.tile(path)).transpose()?.flatten() {
            put("tile", &path.replace('/', "-"), [&9_u16.to_be_bytes(), tile.as_slice()].concat())?;
        }
    }
    drop(log);
    Ok(fs::remove_dir_all(&folder)?)
}

fn certificates(now: Timestamp) -> Result<(), Box<dyn Error>> {
    for algorithm in [trust::Algorithm::Ed25519, trust::Algorithm::EcdsaP256] {
        let root = Authority::create("Một Cửa CA", signer(algorithm)?, now, 365)?;
        let member = MemberId::new("VN", "GOV", "000.00.00.H26")?;
        let hosts = ["node.example.vn".to_owned(), "192.0.2.1".to_owned()];
        let request = CertificateRequest::create(signer(algorithm)?.as_ref(), &member, &hosts)?;
        put("certificate_request", &format!("{algorithm:?}.der"), request.der())?;
        put("certificate_request", &format!("{algorithm:?}.pem"), request.to_pem())?;
        let approval = Approval {
            request: request.fingerprint(),
            member,
            organization: "Ủy ban nhân dân tỉnh Ninh Bình".to_owned(),
            hosts: hosts.to_vec(),
            profile: Profile::Node,
            days: 30,
        };
        let issued = root.issue(&request, &approval, now)?;
        put("certificate", &format!("{algorithm:?}.pem"), issued.to_pem())?;
        put("certificate", &format!("{algorithm:?}.der"), issued.der())?;
        put("certificate", &format!("{algorithm:?}-root.der"), root.certificate().der())?;
        put("certificate", &format!("{algorithm:?}-list.der"), root.revocation_list(&[], 7, now, 3_600)?.der())?;
    }
    Ok(())
}

fn signer(algorithm: trust::Algorithm) -> Result<Arc<dyn Signer>, Box<dyn Error>> {
    Ok(Arc::new(SigningKey::generate(algorithm)?))
}
