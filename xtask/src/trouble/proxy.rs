//! The line between two nodes, as a proxy that can be cut, stalled in either direction, broken within a message, and that
//! can change a byte.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

/// How often a stalled direction looks whether it may go on.
const LOOK: Duration = Duration::from_millis(10);

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the consumer's node to the provider's.
    There,
    /// Back.
    Back,
}

/// The line.
#[derive(Debug, Clone)]
pub struct Line(Arc<State>);

#[derive(Debug)]
struct State {
    /// Where the consumer's node connects.
    address: SocketAddr,
    to: SocketAddr,
    cut: AtomicBool,
    there: Direction,
    back: Direction,
    open: Mutex<Vec<TcpStream>>,
}

#[derive(Debug)]
struct Direction {
    stalled: AtomicBool,
    /// After so many bytes all connections break; negative: never.
    breaks: AtomicI64,
    /// The next byte is changed.
    flips: AtomicBool,
}

impl Direction {
    const fn sound() -> Self {
        Self {
            stalled: AtomicBool::new(false),
            breaks: AtomicI64::new(-1),
            flips: AtomicBool::new(false),
        }
    }
}

impl Line {
    /// A line that leads `to` a node, whole.
    ///
    /// # Errors
    /// When there is no free port.
    pub fn lay(to: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let line = Self(Arc::new(State {
            address: listener.local_addr()?,
            to,
            cut: AtomicBool::new(false),
            there: Direction::sound(),
            back: Direction::sound(),
            open: Mutex::default(),
        }));
        let accepting = line.clone();
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let line = accepting.clone();
                std::thread::spawn(move || line.connect(near));
            }
        });
        Ok(line)
    }

    /// Where it begins.
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// Breaks all connections and takes no more.
    pub fn cut(&self) {
        self.0.cut.store(true, Ordering::SeqCst);
        self.break_all();
    }

    /// Keeps back what goes one way; nothing is lost, as with TCP.
    pub fn stall(&self, way: Way) {
        self.direction(way).stalled.store(true, Ordering::SeqCst);
    }

    /// Breaks all connections when so many more bytes have gone one way: within a message.
    pub fn break_after(&self, way: Way, bytes: u32) {
        self.direction(way).breaks.store(bytes.into(), Ordering::SeqCst);
    }

    /// Changes one byte that goes one way.
    pub fn flip(&self, way: Way) {
        self.direction(way).flips.store(true, Ordering::SeqCst);
    }

    /// Makes it whole again.
    pub fn mend(&self) {
        self.0.cut.store(false, Ordering::SeqCst);
        for direction in [&self.0.there, &self.0.back] {
            direction.stalled.store(false, Ordering::SeqCst);
            direction.breaks.store(-1, Ordering::SeqCst);
            direction.flips.store(false, Ordering::SeqCst);
        }
    }

    fn direction(&self, way: Way) -> &Direction {
        match way {
            Way::There => &self.0.there,
            Way::Back => &self.0.back,
        }
    }

    fn open(&self) -> std::sync::MutexGuard<'_, Vec<TcpStream>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What has come and was not read makes the system reset the connection.
    fn break_all(&self) {
        for stream in self.open().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn connect(&self, near: TcpStream) {
        if self.0.cut.load(Ordering::SeqCst) {
            return;
        }
        let Ok(far) = TcpStream::connect_timeout(&self.0.to, Duration::from_secs(30)) else {
            return;
        };
        let pair = (near.try_clone(), far.try_clone(), near.try_clone(), far.try_clone());
        let (Ok(near_too), Ok(far_too), Ok(one), Ok(other)) = pair else {
            return;
        };
        let _ = near.set_nodelay(true).and_then(|()| far.set_nodelay(true));
        self.open().extend([one, other]);
        let back = self.clone();
        std::thread::spawn(move || back.carry(far_too, near_too, Way::Back));
        self.carry(near, far, Way::There);
    }

    fn carry(&self, mut from: TcpStream, mut to: TcpStream, way: Way) {
        let direction = self.direction(way);
        let mut piece = [0; 16 << 10];
        let _ = from.set_read_timeout(Some(Duration::from_millis(200)));
        loop {
            let n = match from.read(&mut piece) {
                Ok(0) => break,
                Ok(n) => n,
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
                Err(_) => break,
            };
            while direction.stalled.load(Ordering::SeqCst) {
                std::thread::sleep(LOOK);
            }
            let Some(piece) = piece.get_mut(..n) else { break };
            if direction.flips.swap(false, Ordering::SeqCst)
                && let Some(byte) = piece.last_mut()
            {
                *byte ^= 1;
            }
            let left = direction.breaks.load(Ordering::SeqCst);
            if left >= 0 {
                let goes = usize::try_from(left).unwrap_or(n).min(n);
                direction.breaks.store(left - n as i64, Ordering::SeqCst);
                if goes < n || left == n as i64 {
                    direction.breaks.store(-1, Ordering::SeqCst);
                    let _ = to.write_all(piece.get(..goes).unwrap_or_default());
                    self.break_all();
                    break;
                }
            }
            if to.write_all(piece).is_err() {
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn echo() -> anyhow::Result<SocketAddr> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || {
                    let Ok(mut back) = stream.try_clone() else { return };
                    let mut stream = stream;
                    let _ = std::io::copy(&mut stream, &mut back);
                });
            }
        });
        Ok(address)
    }

    fn ask(line: &Line, text: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(line.address())?;
        stream.set_read_timeout(Some(Duration::from_millis(500)))?;
        stream.write_all(text)?;
        let mut back = vec![0; text.len()];
        stream.read_exact(&mut back)?;
        Ok(back)
    }

    #[test]
    fn a_line_does_what_it_is_told() -> anyhow::Result<()> {
        let line = Line::lay(echo()?)?;
        assert_eq!(ask(&line, b"whole")?, b"whole");
        line.cut();
        assert!(ask(&line, b"cut").is_err());
        line.mend();
        line.stall(Way::Back);
        assert!(ask(&line, b"stalled").is_err());
        line.mend();
        line.flip(Way::There);
        assert_eq!(ask(&line, b"flip")?, b"fliq");
        line.break_after(Way::There, 3);
        assert!(ask(&line, b"broken").is_err());
        assert_eq!(ask(&line, b"whole again")?, b"whole again");
        Ok(())
    }
}
