//! Fault lines as text: print and parse are inverse.

use super::{ClockTrouble, ConnTrouble, ConnectTrouble, Death, DiskTrouble, Fault, FaultLine};
use super::{LinkTrouble, NodeSet, Path, When};
use crate::actor::Names;
use crate::id::NodeId;
use crate::time::Span;
use std::fmt::Write;

/// `1st`, `2nd`, `3rd`, `4th`, ...
#[must_use]
pub fn ordinal(n: impl Into<u64>) -> String {
    let n = n.into();
    let suffix = match (n % 100, n % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{n}{suffix}")
}

fn parse_ordinal(text: &str) -> Option<u32> {
    let n: u32 = text.get(..text.len().checked_sub(2)?)?.parse().ok()?;
    (n > 0 && ordinal(n) == text).then_some(n)
}

impl FaultLine {
    /// The line as a seed file holds it.
    #[must_use]
    pub fn print(&self, names: &Names) -> String {
        let fault = self.fault.print(names);
        match self.when {
            When::At(span) => format!("at {span}: {fault}"),
            When::On { nth, point, node } => {
                let point = names.points.iter().find(|p| p.index == point).map_or("?", |p| p.name);
                format!("on {} {point} at {}: {fault}", ordinal(nth), names.node(node))
            }
        }
    }

    /// Reads a line.
    ///
    /// # Errors
    /// Says what was expected where the text departs from the form.
    pub fn parse(text: &str, names: &Names) -> Result<FaultLine, String> {
        let (when, fault) = text
            .split_once(": ")
            .ok_or("expected `at TIME: FAULT` or `on N-th POINT at NODE: FAULT`")?;
        let words: Vec<&str> = when.split(' ').collect();
        let when = match words[..] {
            ["at", span] => When::At(Span::parse(span)?),
            ["on", nth, point, "at", node] => When::On {
                nth: parse_ordinal(nth)
                    .ok_or_else(|| format!("expected 1st, 2nd, 3rd ..., found `{nth}`"))?,
                point: point_of(names, point)?,
                node: names.node_of(node)?,
            },
            _ => {
                return Err(format!(
                    "expected `at TIME` or `on N-th POINT at NODE`, found `{when}`"
                ));
            }
        };
        Ok(FaultLine { when, fault: Fault::parse(fault, names)? })
    }
}

fn point_of(names: &Names, text: &str) -> Result<u8, String> {
    names.points.iter().find(|p| p.name == text).map(|p| p.index).ok_or_else(|| {
        let known: Vec<&str> = names.points.iter().map(|p| p.name).collect();
        format!("expected one of the points {}, found `{text}`", known.join(" "))
    })
}

const DEATHS: [(Death, &str); 4] =
    [(Death::Crash, "crash"), (Death::Kill, "kill"), (Death::Stop, "stop"), (Death::Wipe, "wipe")];
const CONNS: [(ConnTrouble, &str); 4] = [
    (ConnTrouble::Reset, "reset"),
    (ConnTrouble::Close, "close"),
    (ConnTrouble::Silence, "silence"),
    (ConnTrouble::Tear, "tear"),
];
const CONNECTS: [(ConnectTrouble, &str); 2] =
    [(ConnectTrouble::Refuse, "refuse"), (ConnectTrouble::Hang, "hang")];
const DISKS: [(DiskTrouble, &str); 5] = [
    (DiskTrouble::Full, "disk-full"),
    (DiskTrouble::ReadError, "read-error"),
    (DiskTrouble::WriteError, "write-error"),
    (DiskTrouble::SyncError, "sync-error"),
    (DiskTrouble::Hang, "disk-hang"),
];

fn word_of<T: PartialEq>(table: &[(T, &'static str)], value: &T) -> &'static str {
    table.iter().find(|(v, _)| v == value).map_or("?", |(_, word)| word)
}

fn value_of<T: Copy>(table: &[(T, &'static str)], word: &str) -> Option<T> {
    table.iter().find(|(_, w)| *w == word).map(|(v, _)| *v)
}

impl Fault {
    /// The fault as a fault line and the trace name it.
    #[must_use]
    pub fn print(&self, names: &Names) -> String {
        let node = |n: &NodeId| names.node(*n).to_string();
        match self {
            Fault::Down(death, n, span) => {
                format!("{} {} for {span}", word_of(&DEATHS, death), node(n))
            }
            Fault::Pause(n, span) => format!("pause {} for {span}", node(n)),
            Fault::Slow(n, factor, span) => format!("slow {} x{factor} for {span}", node(n)),
            Fault::Link(trouble, path, span) => {
                let path = print_path(path, names);
                match trouble {
                    LinkTrouble::Cut => format!("cut {path} for {span}"),
                    LinkTrouble::Clog => format!("clog {path} for {span}"),
                    LinkTrouble::Slow(factor) => format!("slow-link {path} x{factor} for {span}"),
                }
            }
            Fault::Conn(trouble, from, to) => {
                format!("{} {} to {}", word_of(&CONNS, trouble), node(from), node(to))
            }
            Fault::Connect(trouble, n, span) => {
                format!("{} {} for {span}", word_of(&CONNECTS, trouble), node(n))
            }
            Fault::Disk(DiskTrouble::Slow(factor), n, span) => {
                format!("disk-slow {} x{factor} for {span}", node(n))
            }
            Fault::Disk(trouble, n, span) => {
                format!("{} {} for {span}", word_of(&DISKS, trouble), node(n))
            }
            Fault::Clock(ClockTrouble::Skew(ns), n) => {
                format!("skew {} {}", node(n), print_offset(*ns))
            }
            Fault::Clock(ClockTrouble::Jump(ns), n) => {
                format!("jump {} {}", node(n), print_offset(*ns))
            }
            Fault::Clock(ClockTrouble::Drift(ppm, span), n) => {
                format!("drift {} {ppm:+}ppm for {span}", node(n))
            }
        }
    }

    /// Reads a fault.
    ///
    /// # Errors
    /// Says what was expected.
    pub fn parse(text: &str, names: &Names) -> Result<Fault, String> {
        let words: Vec<&str> = text.split(' ').collect();
        let fault = match words[..] {
            [verb, n, "for", span] => {
                Fault::parse_lasting(verb, names.node_of(n), Span::parse(span)?)?
            }
            ["slow", n, factor, "for", span] => {
                Some(Fault::Slow(names.node_of(n)?, parse_factor(factor)?, Span::parse(span)?))
            }
            ["disk-slow", n, factor, "for", span] => {
                let trouble = DiskTrouble::Slow(parse_factor(factor)?);
                Some(Fault::Disk(trouble, names.node_of(n)?, Span::parse(span)?))
            }
            ["drift", n, ppm, "for", span] => {
                let trouble = ClockTrouble::Drift(parse_ppm(ppm)?, Span::parse(span)?);
                Some(Fault::Clock(trouble, names.node_of(n)?))
            }
            ["skew", n, offset] => {
                Some(Fault::Clock(ClockTrouble::Skew(parse_offset(offset)?), names.node_of(n)?))
            }
            ["jump", n, offset] => {
                Some(Fault::Clock(ClockTrouble::Jump(parse_offset(offset)?), names.node_of(n)?))
            }
            [verb, from, "to", to] => match value_of(&CONNS, verb) {
                Some(trouble) => {
                    Some(Fault::Conn(trouble, names.node_of(from)?, names.node_of(to)?))
                }
                None => None,
            },
            ["slow-link", from, way, to, factor, "for", span] => {
                let trouble = LinkTrouble::Slow(parse_factor(factor)?);
                Some(Fault::Link(trouble, parse_path(from, way, to, names)?, Span::parse(span)?))
            }
            ["cut", from, way, to, "for", span] => Some(Fault::Link(
                LinkTrouble::Cut,
                parse_path(from, way, to, names)?,
                Span::parse(span)?,
            )),
            ["clog", from, way, to, "for", span] => Some(Fault::Link(
                LinkTrouble::Clog,
                parse_path(from, way, to, names)?,
                Span::parse(span)?,
            )),
            _ => None,
        };
        fault.ok_or_else(|| format!("expected a fault such as `crash n0 for 20ms` or `cut n0 from n1 for 5ms`, found `{text}`"))
    }

    fn parse_lasting(
        verb: &str,
        node: Result<NodeId, String>,
        span: Span,
    ) -> Result<Option<Fault>, String> {
        if let Some(death) = value_of(&DEATHS, verb) {
            return Ok(Some(Fault::Down(death, node?, span)));
        }
        if let Some(trouble) = value_of(&CONNECTS, verb) {
            return Ok(Some(Fault::Connect(trouble, node?, span)));
        }
        if let Some(trouble) = value_of(&DISKS, verb) {
            return Ok(Some(Fault::Disk(trouble, node?, span)));
        }
        Ok(if verb == "pause" { Some(Fault::Pause(node?, span)) } else { None })
    }
}

fn print_set(set: NodeSet, names: &Names) -> String {
    let mut text = String::new();
    for (i, node) in set.iter().enumerate() {
        let _ = write!(text, "{}{}", if i > 0 { "," } else { "" }, names.node(node));
    }
    text
}

fn print_path(path: &Path, names: &Names) -> String {
    let way = if path.both { "from" } else { "to" };
    format!("{} {way} {}", print_set(path.from, names), print_set(path.to, names))
}

fn parse_path(from: &str, way: &str, to: &str, names: &Names) -> Result<Path, String> {
    let set = |text: &str| -> Result<NodeSet, String> {
        text.split(',').try_fold(NodeSet::default(), |set, n| Ok(set.with(names.node_of(n)?)))
    };
    let both = match way {
        "from" => true,
        "to" => false,
        _ => return Err(format!("expected `from` (both ways) or `to` (one way), found `{way}`")),
    };
    Ok(Path { from: set(from)?, to: set(to)?, both })
}

fn parse_factor(text: &str) -> Result<u32, String> {
    let factor =
        text.strip_prefix('x').and_then(|n| n.parse().ok()).filter(|n| (1..=1_000).contains(n));
    factor.ok_or_else(|| format!("expected a factor such as x10, at most x1000, found `{text}`"))
}

fn parse_ppm(text: &str) -> Result<i32, String> {
    let ppm = text
        .strip_suffix("ppm")
        .and_then(|n| n.parse().ok())
        .filter(|n| (-500_000..=500_000).contains(n));
    ppm.ok_or_else(|| format!("expected a rate such as +200ppm, found `{text}`"))
}

fn print_offset(ns: i64) -> String {
    format!("{}{}", if ns < 0 { "-" } else { "+" }, Span(ns.unsigned_abs()))
}

fn parse_offset(text: &str) -> Result<i64, String> {
    let wrong = || format!("expected an offset such as +5ms or -5ms, found `{text}`");
    let (sign, span) = text.split_at_checked(1).ok_or_else(wrong)?;
    let ns = i64::try_from(Span::parse(span)?.0).map_err(|_| wrong())?;
    match sign {
        "+" => Ok(ns),
        "-" => Ok(-ns),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::Point;

    fn names() -> Names {
        const POINTS: &[Point] = &[Point { index: 0, name: "batch-done" }];
        let nodes: Vec<String> = ["n0", "n1", "n2", "c0"].map(String::from).to_vec();
        Names { actors: nodes.clone(), nodes, points: POINTS, ..Names::default() }
    }

    #[test]
    fn every_form_of_line_prints_and_parses_to_itself() {
        let names = names();
        let lines = [
            "at 40ms: cut n0 from n1,n2 for 20ms",
            "at 0ns: cut n0 to n1 for 20ms",
            "at 1s: clog n0,n1 from n2 for 1us",
            "on 2nd batch-done at n0: crash n0 for 5ms",
            "at 1ms: kill n1 for 5ms",
            "at 1ms: stop n1 for 5ms",
            "at 1ms: wipe n1 for 5ms",
            "at 1ms: pause n1 for 5ms",
            "at 1ms: slow n1 x10 for 5ms",
            "at 1ms: slow-link n1 to n2 x3 for 5ms",
            "at 1ms: reset n0 to n1",
            "at 1ms: close n0 to n1",
            "at 1ms: silence n0 to n1",
            "at 1ms: tear n0 to n1",
            "at 1ms: refuse n1 for 5ms",
            "at 1ms: hang n1 for 5ms",
            "at 1ms: disk-full n1 for 5ms",
            "at 1ms: read-error n1 for 5ms",
            "at 1ms: write-error n1 for 5ms",
            "at 1ms: sync-error n1 for 5ms",
            "at 1ms: disk-slow n1 x10 for 5ms",
            "at 1ms: disk-hang n1 for 5ms",
            "at 0ns: skew n1 +5ms",
            "at 1ms: jump n1 -5ms",
            "at 1ms: drift n1 -200ppm for 1s",
        ];
        for text in lines {
            let line = FaultLine::parse(text, &names).expect(text);
            assert_eq!(line.print(&names), text);
        }
    }

    #[test]
    fn a_line_that_departs_from_the_form_says_what_was_expected() {
        let names = names();
        for text in [
            "",
            "crash n0",
            "at 5: crash n0 for 1ms",
            "at 5ms: crash n9 for 1ms",
            "on 2th batch-done at n0: crash n0 for 1ms",
            "on 1st nowhere at n0: crash n0 for 1ms",
            "at 5ms: cut n0 with n1 for 1ms",
            "at 5ms: slow n0 10 for 1ms",
            "at 5ms: jump n0 5ms",
            "at 5ms: jump n0 ",
            "at 5ms: drift n0 9999999ppm for 1s",
            "at 5ms: melt n0 for 1ms",
        ] {
            let error = FaultLine::parse(text, &names).expect_err(text);
            assert!(error.contains("expected"), "{text}: {error}");
        }
    }

    #[test]
    fn ordinals_read_as_in_english() {
        let said: Vec<String> =
            [1_u32, 2, 3, 4, 11, 12, 13, 21, 22, 101, 111].map(ordinal).to_vec();
        assert_eq!(said.join(" "), "1st 2nd 3rd 4th 11th 12th 13th 21st 22nd 101st 111th");
    }
}
