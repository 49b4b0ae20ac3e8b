//! Tables that are made from the types that they describe: what stands between `<!-- generated: NAME -->` and
//! `<!-- end -->`.

use super::checks;
use super::page::Page;
use super::words::{names, noise_example, wording};
use seedbed_models::registry::registry;
use seedbed_sim::campaign::testing;
use seedbed_sim::check::Scenario;
use seedbed_sim::choose::Shape;
use seedbed_sim::fault::{
    ClockTrouble, ConnTrouble, ConnectTrouble, Death, DiskTrouble, Fault, FaultLine, Kind, KindSet,
    LinkTrouble, NodeSet, Path, When,
};
use seedbed_sim::id::NodeId;
use seedbed_sim::nemesis::{Budget, Config};
use seedbed_sim::time::Span;
use seedbed_sim::world::{ENGINE_SITES, promise};
use std::fs;
use std::thread;

/// The page with every generated part as it is now.
pub(super) fn refreshed(page: &Page) -> Result<String, String> {
    let (mut text, mut lines) = (String::new(), page.text.lines());
    while let Some(line) = lines.next() {
        text.push_str(line);
        text.push('\n');
        let Some(name) = line.strip_prefix("<!-- generated: ").and_then(|l| l.strip_suffix(" -->"))
        else {
            continue;
        };
        if !lines.by_ref().any(|line| line == "<!-- end -->") {
            return Err(format!("expected `<!-- end -->` below `{line}`"));
        }
        text.push('\n');
        text.push_str(&generated(name).ok_or_else(|| format!("nothing is generated as `{name}`"))?);
        text.push_str("\n<!-- end -->\n");
    }
    Ok(text)
}

fn generated(name: &str) -> Option<String> {
    Some(match name {
        "faults" => faults(),
        "sites" => sites(),
        "promises" => promises(),
        "scenarios" => scenarios(),
        "bugs" => bugs(),
        "complaint" => complaint(),
        "verbs" => super::verbs::tables(),
        "rules" => of_source("models/src/mvcc/rules.rs"),
        "parameters" => of_source("models/src/mvcc/parameters.rs"),
        _ => return None,
    })
}

/// The table that stands above the code of a file, as a page shows it.
fn of_source(path: &str) -> String {
    let text = fs::read_to_string(super::root().join(path)).expect("a file of the workspace");
    let rows = text.lines().filter_map(|line| line.strip_prefix("//! |"));
    rows.map(|row| format!("|{}\n", row.replace("[`", "`").replace("`]", "`"))).collect()
}

/// A table in Markdown.
fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let line = |cells: [String; N]| format!("| {} |\n", cells.join(" | "));
    let mut text = line(head.map(String::from));
    text.push_str(&format!("|{}\n", "---|".repeat(N)));
    text.extend(rows.into_iter().map(|cells| line(cells.map(|cell| cell.replace('|', "\\|")))));
    text
}

fn code(text: impl AsRef<str>) -> String {
    format!("`{}`", text.as_ref())
}

/// The catalogue in two tables: lines of the plan, and noise.
fn faults() -> String {
    let rows = |faults: bool| {
        let kinds = Kind::CATALOGUE.into_iter().filter(move |(kind, ..)| kind.is_fault() == faults);
        kinds.map(|(kind, name, about)| [code(name), about.to_string(), code(example(kind))])
    };
    format!(
        "**Faults**, as lines of a plan:\n\n{}\n**Noise**, as lines of a seed file:\n\n{}",
        table(["kind", "what happens", "for example"], rows(true)),
        table(["kind", "what happens", "for example"], rows(false))
    )
}

/// A line for each kind.
fn example(kind: Kind) -> String {
    let fault = match kind {
        Kind::Crash => Fault::Down(Death::Crash, N0, SPAN),
        Kind::Kill => Fault::Down(Death::Kill, N0, SPAN),
        Kind::Stop => Fault::Down(Death::Stop, N0, SPAN),
        Kind::Wipe => Fault::Down(Death::Wipe, N0, SPAN),
        Kind::Pause => Fault::Pause(N0, SPAN),
        Kind::SlowNode => Fault::Slow(N0, 10, SPAN),
        Kind::Cut => Fault::Link(LinkTrouble::Cut, Path { both: true, ..PATH }, SPAN),
        Kind::CutOneWay => Fault::Link(LinkTrouble::Cut, PATH, SPAN),
        Kind::Clog => Fault::Link(LinkTrouble::Clog, Path { both: true, ..PATH }, SPAN),
        Kind::SlowLink => Fault::Link(LinkTrouble::Slow(10), Path { both: true, ..PATH }, SPAN),
        Kind::Reset => Fault::Conn(ConnTrouble::Reset, C0, N0),
        Kind::Close => Fault::Conn(ConnTrouble::Close, C0, N0),
        Kind::Silence => Fault::Conn(ConnTrouble::Silence, C0, N0),
        Kind::Tear => Fault::Conn(ConnTrouble::Tear, C0, N0),
        Kind::Refuse => Fault::Connect(ConnectTrouble::Refuse, N0, SPAN),
        Kind::Hang => Fault::Connect(ConnectTrouble::Hang, N0, SPAN),
        Kind::DiskFull => Fault::Disk(DiskTrouble::Full, N0, SPAN),
        Kind::ReadErrors => Fault::Disk(DiskTrouble::ReadError, N0, SPAN),
        Kind::WriteErrors => Fault::Disk(DiskTrouble::WriteError, N0, SPAN),
        Kind::SyncErrors => Fault::Disk(DiskTrouble::SyncError, N0, SPAN),
        Kind::DiskSlow => Fault::Disk(DiskTrouble::Slow(10), N0, SPAN),
        Kind::DiskHang => Fault::Disk(DiskTrouble::Hang, N0, SPAN),
        Kind::Skew => Fault::Clock(ClockTrouble::Skew(5_000_000), N0),
        Kind::Jump => Fault::Clock(ClockTrouble::Jump(-5_000_000), N0),
        Kind::Drift => Fault::Clock(ClockTrouble::Drift(200, SPAN), N0),
        noise => return noise_example(noise),
    };
    assert_eq!(fault.kind(), kind, "the example is of the kind that it stands for");
    let when = When::At(Span::ms(40));
    FaultLine { when, fault }.print(&names())
}

const N0: NodeId = NodeId(0);
const C0: NodeId = NodeId(5);
const SPAN: Span = Span::ms(20);
const PATH: Path = Path { from: NodeSet(1), to: NodeSet(0b110), both: false };

fn sites() -> String {
    let rows = ENGINE_SITES.iter().map(|site| {
        let shape = match site.shape {
            Shape::Between => "message, hand-over, lock, timer",
            Shape::Disk => "disk request",
            Shape::Sector => "sector",
            Shape::Change => "change of a name",
            Shape::Stream => "place in a connection",
            Shape::Own => "decision of a model, or of a client",
        };
        let outcomes: Vec<String> = site.outcomes.iter().map(code).collect();
        [code(site.name), shape.to_string(), outcomes.join(", ")]
    });
    table(["site", "shape", "outcomes beside `calm`"], rows)
}

fn promises() -> String {
    let rows = [
        (promise::NEVER_STOPS, "`cx.abort(reason)`: the modelled system dies of its own defect"),
        (promise::NO_DEADLOCK, "actors that wait for each other's locks in a circle"),
        (promise::PROGRESS, "more than 100,000 events within a microsecond"),
        (promise::NO_PANIC, "a panic of the model or of the testbed"),
    ];
    let rows = rows.map(|(name, by)| [name.to_string(), by.to_string()]);
    table(["promise", "broken by"], rows)
}

fn scenarios() -> String {
    let registry = registry();
    let rows = registry.runners().map(|runner| {
        let info = runner.info();
        [code(info.name), info.about.to_string()]
    });
    table(["scenario", "what it is about"], rows.collect::<Vec<_>>())
}

fn bugs() -> String {
    let registry = registry();
    let rows = registry.planted().into_iter().map(|planted| {
        let bug = planted.bug;
        [
            code(format!("{}/{}", planted.model, bug.name)),
            bug.breaks.to_string(),
            bug.source.to_string(),
        ]
    });
    table(["planted bug", "breaks", "source"], rows)
}

/// What a test says that does not hold: the register of the tutorial, which has no disk, with crashes in its budget.
fn complaint() -> String {
    let check = || {
        let budget = |config: &Config| {
            let budget = (checks::scenario().budget)(config);
            Budget { kinds: KindSet::of(&[Kind::Crash]), ..budget }
        };
        let mortal = Scenario { budget, ..checks::scenario() };
        testing::check(&mortal, 200);
    };
    // The message names its test, as the harness names the thread.
    let test = thread::Builder::new().name("no_promise_breaks_in_two_hundred_runs".into());
    let panic = thread::scope(|scope| test.spawn_scoped(scope, check).expect("a thread").join());
    let said = panic.expect_err("a promise breaks");
    let said = said.downcast_ref::<String>().expect("a message");
    format!("```text\n{said}\n```\n")
}

#[test]
fn every_kind_has_an_example_that_reads_back_as_what_it_is() {
    let names = names();
    for (kind, name, _) in Kind::CATALOGUE {
        let line = example(kind);
        if kind.is_fault() {
            let read =
                FaultLine::parse(&line, &names).unwrap_or_else(|why| panic!("{name}: {why}"));
            assert_eq!(read.fault.kind(), kind, "{line}");
        } else {
            wording(&names, |wording| {
                wording.parse(&line).unwrap_or_else(|why| panic!("{name}: {why}"))
            });
        }
    }
}
