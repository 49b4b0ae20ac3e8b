//! Panics of runs are caught and become findings; a sweep must not print each of them as it happens.

use std::cell::Cell;
use std::sync::Once;

thread_local! {
    static HUSHED: Cell<bool> = const { Cell::new(false) };
}

/// Does something on this thread; panics in it are caught by the caller's own means and not printed.
pub(super) fn hush<T>(work: impl FnOnce() -> T) -> T {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        let former = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !HUSHED.get() {
                former(info);
            }
        }));
    });
    let before = HUSHED.replace(true);
    let restore = Restore(before);
    let done = work();
    drop(restore);
    done
}

struct Restore(bool);

impl Drop for Restore {
    fn drop(&mut self) {
        HUSHED.set(self.0);
    }
}
