//! The numbers of a run that a seed file may give, and within which bounds they make sense.

use super::InputError;
use super::source::{At, Fields};
use crate::nemesis::Run;
use crate::time::{Span, Time};

/// No span of a plan is longer: sums of them stay far below the end of virtual time.
pub(super) const LONGEST: Span = Span::secs(1_000_000);
/// The latest start of a run.
const LAST_START: u64 = 1_000_000_000_000_000_000;
/// Latencies may be multiplied by two factors of up to a thousand.
const LONGEST_LATENCY: Span = Span::secs(60);

/// A span of a run: its name, where it is kept, and its bounds.
pub(super) struct SpanField {
    pub(super) name: &'static str,
    pub(super) of: fn(&mut Run) -> &mut Span,
    least: Span,
    most: Span,
}

const fn span(name: &'static str, of: fn(&mut Run) -> &mut Span, least: u64) -> SpanField {
    SpanField { name, of, least: Span(least), most: LONGEST }
}

const fn latency(name: &'static str, of: fn(&mut Run) -> &mut Span) -> SpanField {
    SpanField { name, of, least: Span::LEAST, most: LONGEST_LATENCY }
}

/// The spans of a run. Nothing may be due at the instant of its cause, so most of them are not zero.
pub(super) const SPANS: [SpanField; 10] = [
    latency("latency", |run| &mut run.latency),
    SpanField { least: Span(0), ..latency("spread", |run| &mut run.spread) },
    latency("local", |run| &mut run.local),
    latency("disk", |run| &mut run.disk),
    span("think", |run| &mut run.think, 0),
    span("calm", |run| &mut run.calm, 0),
    span("horizon", |run| &mut run.horizon, 1),
    span("quiet", |run| &mut run.quiet, 1),
    span("restart", |run| &mut run.restart, 1),
    span("grace", |run| &mut run.grace, 1),
];

/// A count of a run: its name, how to read and write it, and the greatest value; the least is 1.
pub(super) struct CountField {
    pub(super) name: &'static str,
    pub(super) get: fn(&Run) -> u64,
    set: fn(&mut Run, u64),
    most: u64,
}

/// The counts of a run.
pub(super) const COUNTS: [CountField; 5] = [
    CountField {
        name: "start",
        get: |run| run.start.0,
        set: |run, n| run.start = Time(n),
        most: LAST_START,
    },
    CountField {
        name: "steps_max",
        get: |run| u64::from(run.steps_max),
        set: |run, n| run.steps_max = narrow(n),
        most: u32::MAX as u64,
    },
    CountField {
        name: "sector",
        get: |run| u64::from(run.sector),
        set: |run, n| run.sector = narrow(n),
        most: 1 << 16,
    },
    CountField {
        name: "capacity",
        get: |run| run.capacity,
        set: |run, n| run.capacity = n,
        // Sectors have 32-bit numbers, and may be one byte large.
        most: u32::MAX as u64 - 2,
    },
    CountField {
        name: "buffer",
        get: |run| u64::from(run.buffer),
        set: |run, n| run.buffer = narrow(n),
        most: 1 << 24,
    },
];

fn narrow(n: u64) -> u32 {
    u32::try_from(n).expect("bounded by its field")
}

/// The names of all numbers of `[run]`.
pub(super) fn keys() -> Vec<&'static str> {
    let spans = SPANS.iter().map(|field| field.name);
    let counts = COUNTS.iter().map(|field| field.name);
    counts.chain(spans).chain(["fragile", "fragile_files", "down_max"]).collect()
}

/// Puts into `run` what the table says.
pub(super) fn read(fields: &Fields<'_, '_>, run: &mut Run) -> Result<(), InputError> {
    for field in &COUNTS {
        if let Some(n) = fields.number(field.name, 1..=field.most)? {
            (field.set)(run, n.what);
        }
    }
    for field in &SPANS {
        if let Some(text) = fields.text(field.name)? {
            *(field.of)(run) = read_span(fields, field, &text)?;
        }
    }
    Ok(())
}

fn read_span(
    fields: &Fields<'_, '_>,
    field: &SpanField,
    text: &At<&str>,
) -> Result<Span, InputError> {
    let SpanField { name, least, most, .. } = field;
    let span = Span::parse(text.what)
        .map_err(|message| fields.source.wrong(&text.place, format!("{name}: {message}")))?;
    if span < *least || span > *most {
        let message = format!("expected {name} to be from {least} to {most}, found {span}");
        return Err(fields.source.wrong(&text.place, message));
    }
    Ok(span)
}
