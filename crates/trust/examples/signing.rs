//! How many signatures a second: `cargo run --release -p trust --example signing [place of a key …]`.
//!
//! Without arguments it measures keys in memory and, where SoftHSM2 is installed, in a token that it makes for itself.
#![expect(clippy::print_stdout, reason = "its output is its purpose")]

use std::{
    env,
    error::Error,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use trust::{
    Algorithm, Location, Signer,
    key::{self, SigningKey},
};

const LONG_ENOUGH: Duration = Duration::from_secs(2);

/// As long as the signed text of a checkpoint.
const MESSAGE: [u8; 120] = [7; 120];

fn main() -> Result<(), Box<dyn Error>> {
    let places: Vec<String> = env::args().skip(1).collect();
    for place in &places {
        let location = place.parse::<Location>()?;
        measure(place.split('?').next().unwrap_or(place), key::open(&location)?.as_ref())?;
    }
    #[cfg(feature = "hsm")]
    if soft_hsm::is_inner()? {
        return Ok(());
    }
    if places.is_empty() {
        for algorithm in [Algorithm::Ed25519, Algorithm::EcdsaP256] {
            measure(&format!("memory, {algorithm}"), &SigningKey::generate(algorithm)?)?;
        }
        #[cfg(feature = "hsm")]
        soft_hsm::measure()?;
    }
    Ok(())
}

fn measure(name: &str, signer: &dyn Signer) -> Result<(), Box<dyn Error>> {
    for threads in [1, 2] {
        let signed = AtomicU64::new(0);
        let start = Instant::now();
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while start.elapsed() < LONG_ENOUGH && signer.sign(&MESSAGE).is_ok() {
                        signed.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        println!(
            "{name}: {:.0} signatures/s by {threads} thread(s)",
            rate(signed.into_inner(), start)
        );
    }
    let signature = signer.sign(&MESSAGE)?;
    let (start, mut verified) = (Instant::now(), 0);
    while start.elapsed() < LONG_ENOUGH {
        signer.public_key().verify(&MESSAGE, &signature)?;
        verified += 1;
    }
    println!("{name}: {:.0} verifications/s by 1 thread", rate(verified, start));
    Ok(())
}

fn rate(count: u64, since: Instant) -> f64 {
    count as f64 / since.elapsed().as_secs_f64()
}

#[cfg(feature = "hsm")]
mod soft_hsm {
    use std::{env, error::Error, fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

    use trust::{Algorithm, Location, key::TokenKey};

    const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
    const FOLDER: &str = "SIGNING_EXAMPLE_TOKENS";

    /// Measures in the token, if this is the process that was started for it.
    pub fn is_inner() -> Result<bool, Box<dyn Error>> {
        let folder = env::var_os(FOLDER);
        folder
            .as_deref()
            .map(Path::new)
            .map_or(Ok(false), |folder| in_token(folder).map(|()| true))
    }

    /// Runs this example again with a fresh token: where its tokens are, the module learns from the environment.
    pub fn measure() -> Result<(), Box<dyn Error>> {
        if !Path::new(MODULE).exists() {
            println!("SoftHSM2 not measured: no {MODULE}");
            return Ok(());
        }
        let folder = tempfile::tempdir()?;
        let (config, pin) = (folder.path().join("softhsm2.conf"), folder.path().join("pin"));
        fs::write(
            &config,
            format!(
                "directories.tokendir = {}\nlog.level = ERROR\n",
                folder.path().display()
            ),
        )?;
        fs::write(&pin, "1234")?;
        fs::set_permissions(&pin, fs::Permissions::from_mode(0o600))?;
        let token = [
            "--init-token",
            "--free",
            "--label",
            "bench",
            "--pin",
            "1234",
            "--so-pin",
            "5678",
        ];
        Command::new("softhsm2-util")
            .args(token)
            .env("SOFTHSM2_CONF", &config)
            .output()?;
        let mut again = Command::new(env::current_exe()?);
        again
            .env("SOFTHSM2_CONF", &config)
            .env(FOLDER, folder.path())
            .status()?;
        Ok(())
    }

    fn in_token(folder: &Path) -> Result<(), Box<dyn Error>> {
        for algorithm in [Algorithm::Ed25519, Algorithm::EcdsaP256] {
            let place = format!(
                "pkcs11:token=bench;object={algorithm}?module-path={MODULE}&pin-source=file:{}",
                folder.join("pin").display()
            );
            if let Location::Token(uri) = place.parse()? {
                super::measure(&format!("SoftHSM2, {algorithm}"), &TokenKey::generate(&uri, algorithm)?)?;
            }
        }
        Ok(())
    }
}
