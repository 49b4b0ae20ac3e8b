//! One direction of a connection: its bytes, and what of it is on the way.
//!
//! ```text
//!    bytes.front()                                 bytes.back()
//!        ▼                                             ▼
//!   ─────┬──────────────┬───────────────────────┬──────┬─────▶ stream offset
//!       read          arrived               flights  written
//!         can be read       in flight, in order
//! ```

use crate::actor::CloseReason;
use crate::id::StepId;
use crate::time::Time;
use std::collections::VecDeque;

/// From here on means never: what is due then waits for something else to bring it forward.
pub(super) const FAR: Time = Time(1 << 63);

/// What travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cargo {
    /// The first thing in a direction: the connect, or its answer.
    Open,
    /// The answer to a connect that was refused.
    Refuse,
    /// Bytes, up to this offset.
    Bytes(u64),
    /// The last thing in a direction.
    End(CloseReason),
    /// The end that a machine comes to by itself, having waited for too long: no link can hold it.
    GiveUp,
}

/// Something on the way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flight {
    pub(super) due: Time,
    /// The step that sent it.
    pub(super) cause: StepId,
    pub(super) cargo: Cargo,
    /// It was held back by choice, and is not asked about again.
    pub(super) delayed: bool,
}

/// Whether a direction still takes something in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Flow {
    #[default]
    Running,
    /// Nothing more gets in; what is on the way arrives. Writes are accepted, as a kernel does that does not know yet,
    /// and are lost.
    Sealed,
    /// Nothing gets in, and nothing arrives.
    Silent,
}

/// The memory of a direction, kept for the next one.
#[derive(Clone, Debug, Default)]
pub(super) struct Buffers {
    pub(super) bytes: VecDeque<u8>,
    pub(super) flights: VecDeque<Flight>,
}

/// One direction of a connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Pipe {
    bytes: VecDeque<u8>,
    pub(super) flights: VecDeque<Flight>,
    pub(super) read: u64,
    pub(super) arrived: u64,
    written: u64,
    /// Up to here the writer knows that the reader has read.
    freed: u64,
    pub(super) flow: Flow,
    /// Tells the wake for the front of `flights` from older ones.
    pub(super) serial: u32,
    /// A write was cut short, and the writer waits for room.
    pub(super) blocked: bool,
    /// When the writer learns that there is room again, if that is on its way.
    pub(super) room_due: Option<Time>,
    /// Tells the wake for `room_due` from older ones.
    pub(super) room_serial: u32,
    /// The writer's machine has lost its power: nobody sends again what is lost.
    pub(super) orphan: bool,
    /// What arrives next is torn, and then the connection ends like this.
    pub(super) torn: Option<CloseReason>,
}

impl Pipe {
    pub(super) fn new(buffers: Buffers) -> Pipe {
        Pipe { bytes: buffers.bytes, flights: buffers.flights, ..Pipe::default() }
    }

    /// How many more bytes the writer may write.
    pub(super) fn room(&self, buffer: u32) -> usize {
        let used = self.written - self.freed;
        assert!(used <= u64::from(buffer), "a writer never gets ahead by more than the buffer");
        length(u64::from(buffer) - used)
    }

    /// Takes bytes in, and answers the offset after them; `None` if they are lost.
    pub(super) fn store(&mut self, data: &[u8]) -> Option<u64> {
        self.written += data.len() as u64;
        if self.flow != Flow::Running {
            return None;
        }
        self.bytes.extend(data);
        Some(self.written)
    }

    /// Hands up to `max` bytes that have arrived to the reader.
    pub(super) fn hand_over(&mut self, max: usize, into: &mut Vec<u8>) -> usize {
        let n = length(self.arrived - self.read).min(max);
        let (first, second) = self.bytes.as_slices();
        let split = first.len().min(n);
        into.extend_from_slice(&first[..split]);
        into.extend_from_slice(&second[..n - split]);
        self.bytes.drain(..n);
        self.read += n as u64;
        n
    }

    /// The writer learns that all that was read is free again.
    pub(super) fn free(&mut self) {
        self.freed = self.read;
    }

    /// The offset after the bytes that are due at `now`, all in one piece.
    pub(super) fn due_upto(&self, now: Time) -> u64 {
        let mut end = self.arrived;
        for flight in &self.flights {
            match flight.cargo {
                Cargo::Bytes(upto) if flight.due <= now => end = upto,
                _ => break,
            }
        }
        end
    }

    /// Up to `end` the bytes have arrived.
    pub(super) fn advance(&mut self, end: u64) {
        assert!(self.arrived <= end && end <= self.written, "only bytes that were written arrive");
        self.arrived = end;
        while let Some(Flight { cargo: Cargo::Bytes(upto), .. }) = self.flights.front()
            && *upto <= end
        {
            self.flights.pop_front();
        }
    }

    /// Flips a bit of the bytes that arrive next.
    pub(super) fn flip(&mut self, bit: u64) {
        let at = length(self.arrived - self.read + bit / 8);
        self.bytes[at] ^= 1 << (bit % 8);
    }

    /// Loses all that is on the way. A wake for it comes to nothing.
    pub(super) fn lose_flights(&mut self) {
        self.flights.clear();
        self.bytes.truncate(length(self.arrived - self.read));
        self.serial = self.serial.wrapping_add(1);
    }

    /// Loses what is on the way, and what has arrived: nobody is there to read it.
    pub(super) fn abandon(&mut self) {
        self.lose_flights();
        self.bytes.clear();
        self.read = self.arrived;
        self.flow = Flow::Sealed;
    }

    /// Ends a direction for good without a word.
    pub(super) fn silence(&mut self) {
        self.lose_flights();
        self.flow = Flow::Silent;
    }

    /// Gives the memory back, if nothing can happen in it any more.
    pub(super) fn give_back(&mut self) -> Option<Buffers> {
        let done = self.flow != Flow::Running && self.flights.is_empty() && self.bytes.is_empty();
        if !done || self.bytes.capacity() + self.flights.capacity() == 0 {
            return None;
        }
        Some(self.take())
    }

    /// Takes the memory, whatever is in it.
    pub(super) fn take(&mut self) -> Buffers {
        let mut buffers = Buffers {
            bytes: std::mem::take(&mut self.bytes),
            flights: std::mem::take(&mut self.flights),
        };
        buffers.bytes.clear();
        buffers.flights.clear();
        buffers
    }
}

/// A difference of two offsets of one buffer.
fn length(n: u64) -> usize {
    usize::try_from(n).expect("a length within a buffer")
}
