//! A private PostgreSQL for tests and benchmarks: on loopback, in a folder of its own, gone afterwards.

use std::{
    fs,
    os::unix::{
        fs::{PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::Context;

use crate::{ports, run};

/// The variable in which tests find the address of a server where they may create databases.
pub const ENV: &str = "MOTCUA_TEST_POSTGRES";

/// A running server. Dropping it stops the server and removes its data, unless they are to be kept.
#[derive(Debug)]
pub struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    owner: Option<(u32, u32)>,
    server: Option<Child>,
    port: u16,
    kept: bool,
}

impl Cluster {
    /// Starts a server with these settings besides the usual ones (`name=value`). Writes are as durable as in
    /// production: `fsync` stays on.
    ///
    /// # Errors
    /// When PostgreSQL is not there and cannot be installed, or does not start.
    pub fn start(settings: &[&str]) -> anyhow::Result<Self> {
        let port = ports::free()?;
        let mut cluster = Self::at(format!("motcua-postgres-{}-{port}", std::process::id()), port, false)?;
        cluster.open(settings)?;
        Ok(cluster)
    }

    /// As [`Cluster::start`], with data that stay for the next start under this name.
    ///
    /// # Errors
    /// As [`Cluster::start`].
    pub fn start_kept(name: &str, settings: &[&str]) -> anyhow::Result<Self> {
        let port = ports::free()?;
        let mut cluster = Self::at(format!("motcua-postgres-{name}"), port, true)?;
        if cluster.folder.join("data/PG_VERSION").is_file() {
            cluster.serve(settings)?;
        } else {
            cluster.open(settings)?;
        }
        Ok(cluster)
    }

    fn at(name: String, port: u16, kept: bool) -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
        Ok(Self {
            programs: programs()?,
            folder,
            owner: unprivileged()?,
            server: None,
            port,
            kept,
        })
    }

    fn open(&mut self, settings: &[&str]) -> anyhow::Result<()> {
        fs::set_permissions(&self.folder, fs::Permissions::from_mode(0o700))?;
        if let Some((user, group)) = self.owner {
            chown(&self.folder, Some(user), Some(group))?;
        }
        run::output(self.program("initdb").arg("-D").arg(self.folder.join("data")).args([
            "--username=motcua",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-instructions",
        ]))
        .context("making a PostgreSQL cluster")?;
        self.serve(settings)
    }

    fn serve(&mut self, settings: &[&str]) -> anyhow::Result<()> {
        let log = fs::File::create(self.folder.join("log"))?;
        let port = self.port.to_string();
        let mut server = self.program("postgres");
        server.arg("-D").arg(self.folder.join("data"));
        let usual = [
            "listen_addresses=127.0.0.1",
            "max_connections=400",
            "logging_collector=off",
        ];
        for setting in usual.iter().chain(settings) {
            server.args(["-c", setting]);
        }
        server.args(["-k", &self.folder.display().to_string()]);
        server
            .args(["-p", &port])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        self.server = Some(server.spawn().context("starting postgres")?);
        self.wait_ready()
    }

    fn wait_ready(&mut self) -> anyhow::Result<()> {
        let give_up = Instant::now() + Duration::from_secs(60);
        let port = self.port.to_string();
        loop {
            let mut ready = self.program("pg_isready");
            ready.args(["-q", "-h", "127.0.0.1", "-p", &port, "-U", "motcua", "-d", "postgres"]);
            if ready.status()?.success() {
                return Ok(());
            }
            let ended = self.server.as_mut().map(Child::try_wait).transpose()?.flatten();
            if ended.is_some() || Instant::now() > give_up {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                anyhow::bail!("PostgreSQL did not start on port {port}; its log says:\n{log}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Stops the server as a power cut would (what was not yet on disk is lost) and starts it again on the same data.
    ///
    /// # Errors
    /// When it does not come back.
    pub fn crash(&mut self) -> anyhow::Result<()> {
        if let Some(mut server) = self.server.take() {
            // SIGQUIT is PostgreSQL's "immediate" shutdown: no checkpoint, recovery at the next start.
            run::output(Command::new("kill").args(["-QUIT", &server.id().to_string()]))?;
            server.wait()?;
        }
        self.serve(&[])
    }

    /// Address of the maintenance database; its user may create databases.
    pub fn url(&self) -> String {
        format!("postgres://motcua@127.0.0.1:{}/postgres", self.port)
    }

    /// Address of the database of this name (letters, digits and `_`), made when it is not there: by the server's socket,
    /// as a program on the same machine reaches it.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn create_database(&self, name: &str) -> anyhow::Result<String> {
        let port = self.port.to_string();
        let made = run::output(
            self.program("createdb")
                .args(["-h", "127.0.0.1", "-p", &port, "-U", "motcua", name]),
        );
        if let Err(error) = made
            && !(self.kept && format!("{error:#}").contains("already exists"))
        {
            return Err(error);
        }
        let folder = self.folder.display();
        Ok(format!("postgres://motcua@localhost:{port}/{name}?host={folder}"))
    }

    /// Process id of the server: the parent of its workers.
    pub fn pid(&self) -> Option<u32> {
        self.server.as_ref().map(Child::id)
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.current_dir(&self.folder).env_remove("PGOPTIONS");
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            // SIGINT is PostgreSQL's "fast" shutdown: it ends sessions and stops.
            let asked = Command::new("kill").args(["-INT", &server.id().to_string()]).status();
            let give_up = Instant::now() + Duration::from_secs(20);
            while asked.is_ok() && Instant::now() < give_up && matches!(server.try_wait(), Ok(None)) {
                std::thread::sleep(Duration::from_millis(20));
            }
            if matches!(server.try_wait(), Ok(None)) {
                let _ = server.kill();
                let _ = server.wait();
            }
        }
        if !self.kept {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// The folder of the newest installed server programs; installs Debian's where it may.
fn programs() -> anyhow::Result<PathBuf> {
    if let Some(found) = installed() {
        return Ok(found);
    }
    // Debian's package would start a server of its own on the usual port; this machine asked for none.
    run::install(&["postgresql-common"], "the tests on PostgreSQL")?;
    let settings = Path::new("/etc/postgresql-common/createcluster.d");
    if settings.is_dir() {
        fs::write(settings.join("motcua.conf"), "create_main_cluster = false\n")?;
    }
    run::install(&["postgresql"], "the tests on PostgreSQL")?;
    installed().context("PostgreSQL was installed, but initdb and postgres are not to be found")
}

/// The version of the installed server, as it prints it.
pub fn version() -> Option<String> {
    let said = run::output(Command::new(installed()?.join("postgres")).arg("--version")).ok()?;
    said.trim()
        .strip_prefix("postgres (")
        .map(|rest| rest.replacen(')', "", 1))
}

fn installed() -> Option<PathBuf> {
    let mut folders: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|e| Some((e.file_name().to_str()?.parse().ok()?, e.path().join("bin"))))
        .collect();
    folders.sort();
    let on_path = run::on_path(&["postgres"]).and_then(|p| Some(p.parent()?.to_path_buf()));
    folders
        .into_iter()
        .rev()
        .map(|(_, folder)| folder)
        .chain(on_path)
        .find(|folder| {
            ["initdb", "postgres", "pg_isready", "createdb"]
                .iter()
                .all(|p| folder.join(p).is_file())
        })
}

/// PostgreSQL refuses to run as root: the user and group to run it as, or None when we are not root.
fn unprivileged() -> anyhow::Result<Option<(u32, u32)>> {
    if run::output(Command::new("id").arg("-u"))?.trim() != "0" {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").context("reading /etc/passwd")?;
    ["postgres", "nobody"]
        .iter()
        .find_map(|name| user(&users, name))
        .map(Some)
        .context("running as root, and there is neither a user postgres nor nobody to run PostgreSQL as")
}

fn user(users: &str, name: &str) -> Option<(u32, u32)> {
    users
        .lines()
        .map(|l| l.split(':').collect::<Vec<_>>())
        .find(|f| f.first() == Some(&name))
        .and_then(|fields| match fields.as_slice() {
            [_, _, user, group, ..] => Some((user.parse().ok()?, group.parse().ok()?)),
            _ => None,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_read() {
        let users = "root:x:0:0:root:/root:/bin/bash\npostgres:x:101:104:PostgreSQL,,,:/var/lib/postgresql:/bin/bash\n";
        assert_eq!(user(users, "postgres"), Some((101, 104)));
        assert_eq!(user(users, "nobody"), None);
    }
}
