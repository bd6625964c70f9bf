//! Builds what the browser gets: installs the front end's packages with npm where they are missing, bundles with
//! esbuild into `OUT_DIR`, and leaves lists of the results for `include!`.

use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

fn main() {
    // As it is now, not as it was when this script was compiled: a target folder may serve several working copies.
    let crate_folder = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let frontend = Path::new(&crate_folder).join("../../frontend");
    for watched in ["src", "build.mjs", "package.json", "package-lock.json", ".npmrc"] {
        // From the crate's folder, so that a target folder can move with it.
        println!("cargo:rerun-if-changed=../../frontend/{watched}");
    }
    if let Err(error) = run(&frontend) {
        for line in error.to_string().lines() {
            println!("cargo::error={line}");
        }
        std::process::exit(1);
    }
}

fn run(frontend: &Path) -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    // Builds for several targets may run at once, and npm must not meet itself in one folder.
    let lock = fs::File::open(frontend.join("package-lock.json"))?;
    lock.lock()?;
    if stale(frontend) {
        let mut npm = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
        npm.args(["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(frontend);
        call(npm, "npm")?;
        fs::write(
            frontend.join("node_modules/.installed"),
            fs::read(frontend.join("package-lock.json"))?,
        )?;
    }
    let mut node = Command::new("node");
    node.arg("build.mjs").arg(&out).current_dir(frontend);
    call(node, "node")
}

/// Whether the installed packages are not those of the lock file.
fn stale(frontend: &Path) -> bool {
    let installed = fs::read(frontend.join("node_modules/.installed")).ok();
    installed.is_none() || installed != fs::read(frontend.join("package-lock.json")).ok()
}

fn call(mut command: Command, name: &str) -> Result<(), Box<dyn Error>> {
    let output = command.output().map_err(|error| {
        format!(
            "{name} could not be started ({error}). The pages need Node.js 20 or newer with npm: \
             `apt-get install nodejs npm`, or the installer of nodejs.org; then build again.\n\
             Không chạy được {name} ({error}). Cần cài Node.js phiên bản 20 trở lên kèm npm: \
             `apt-get install nodejs npm`, hoặc bộ cài tại nodejs.org; sau đó biên dịch lại."
        )
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(format!(
        "{name} failed ({}) in frontend/. Node.js 20 or newer with npm is needed, and access to the npm registry for the \
         first build.\n\
         {name} gặp lỗi ({}) trong thư mục frontend/. Cần Node.js phiên bản 20 trở lên kèm npm và kết nối tới kho gói npm \
         khi biên dịch lần đầu.\n{}",
        output.status,
        output.status,
        String::from_utf8_lossy(&said).trim()
    )
    .into())
}
