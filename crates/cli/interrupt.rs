//! Ctrl-C: a job that is waited for is cancelled, and its end waited for. The second time, or with
//! nothing to cancel, the program ends at once; what it was doing is cleaned up by the next owner.

use std::process::exit;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use base::Code;

static IS_WAITING: AtomicBool = AtomicBool::new(false);
static IS_ASKED: AtomicBool = AtomicBool::new(false);

/// While this lives, the first Ctrl-C is a question to whoever waits.
pub struct Interrupt(());

impl Interrupt {
    /// Listens from now on.
    pub fn listen() -> Self {
        static LISTENING: Once = Once::new();
        LISTENING.call_once(|| {
            // Without a listener, Ctrl-C ends the program as it ends any other.
            let _ = ctrlc::set_handler(|| {
                if !IS_WAITING.load(Ordering::SeqCst) || IS_ASKED.swap(true, Ordering::SeqCst) {
                    exit(i32::from(Code::Cancelled.exit_code()));
                }
            });
        });
        IS_WAITING.store(true, Ordering::SeqCst);
        Self(())
    }

    /// True once the user has asked to stop.
    pub fn is_asked(&self) -> bool {
        IS_ASKED.load(Ordering::SeqCst)
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        IS_WAITING.store(false, Ordering::SeqCst);
    }
}
