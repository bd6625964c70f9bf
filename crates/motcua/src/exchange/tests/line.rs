//! The line to a node, on which answers are lost or slow.

use std::sync::atomic::AtomicUsize;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, tcp},
    sync::watch,
};

use super::*;

/// What goes over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passes {
    All,
    /// What is said to the node; its answers are lost.
    There,
    /// Its answers, byte by byte.
    Drops,
    /// Its answers, long after anybody waits for them.
    Late,
    Nothing,
}

/// A port of its own, from which everything goes to where a node listens, as far as it passes.
pub(super) struct Line {
    pub at: SocketAddr,
    passes: watch::Sender<Passes>,
    opened: Arc<AtomicUsize>,
}

impl Line {
    pub(super) async fn to(node: SocketAddr) -> Self {
        let listener = TcpListener::bind(ports::one()).await.expect("a port");
        let at = listener.local_addr().expect("an address");
        let (passes, seen) = watch::channel(Passes::All);
        let opened = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&opened);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                let mut broken = seen.clone();
                let carried = carry(near, node, seen.clone());
                tokio::spawn(async move {
                    // What is broken off is closed on both sides.
                    tokio::select! {
                        _ = carried => {}
                        _ = broken.wait_for(|passes| *passes == Passes::Nothing) => {}
                    }
                });
            }
        });
        Self { at, passes, opened }
    }

    pub(super) fn let_pass(&self, passes: Passes) {
        self.passes.send_replace(passes);
    }

    /// Connections that were ever opened.
    pub(super) fn opened(&self) -> usize {
        self.opened.load(Ordering::Relaxed)
    }
}

async fn carry(near: TcpStream, node: SocketAddr, passes: watch::Receiver<Passes>) -> std::io::Result<()> {
    let (said, heard) = near.into_split();
    let (answers, asked) = TcpStream::connect(node).await?.into_split();
    let there = async {
        let (mut said, mut asked) = (said, asked);
        tokio::io::copy(&mut said, &mut asked).await?;
        asked.shutdown().await
    };
    tokio::try_join!(there, carry_back(answers, heard, passes)).map(drop)
}

async fn carry_back(
    mut answers: tcp::OwnedReadHalf,
    mut heard: tcp::OwnedWriteHalf,
    mut passes: watch::Receiver<Passes>,
) -> std::io::Result<()> {
    let mut piece = vec![0; 1 << 14];
    loop {
        let length = answers.read(&mut piece).await?;
        if length == 0 {
            return heard.shutdown().await;
        }
        let (piece, now) = (&piece[..length], *passes.borrow());
        match now {
            Passes::There | Passes::Nothing => {}
            Passes::All => heard.write_all(piece).await?,
            Passes::Late => {
                let later = tokio::time::sleep(Duration::from_secs(30));
                tokio::select! {
                    () = later => {}
                    _ = passes.wait_for(|passes| *passes != Passes::Late) => {}
                }
                heard.write_all(piece).await?;
            }
            Passes::Drops => {
                for byte in piece {
                    if *passes.borrow() == Passes::Drops {
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                    heard.write_all(&[*byte]).await?;
                }
            }
        }
    }
}
