//! What peers see of nodes that die, stop and boot.

use super::*;

fn crash(rig: &mut Rig, n: u16) -> u32 {
    rig.conns.node_crashed(NodeId(n))
}

#[test]
fn the_peers_of_a_killed_process_see_a_reset_after_a_latency() {
    let mut rig = Rig::new(64);
    let conn = rig.open();
    let start = rig.now;
    rig.write(1, conn, b"in flight");
    assert_eq!(rig.kill(1), 1);
    rig.run();
    assert_eq!((rig.said(conn).as_str(), rig.now), ("0:reset", start + LATENCY));
    assert_eq!((rig.read(0, conn), rig.saw(Sight::Killed)), (vec![], 1));
}

#[test]
fn the_peers_of_a_process_that_stops_see_its_end_after_its_bytes() {
    let mut rig = Rig::new(64);
    let conn = rig.open();
    rig.write(1, conn, b"bye");
    assert_eq!(rig.with(|conns, m| conns.node_stopped(NodeId(1), m)), 1);
    rig.run();
    assert_eq!(rig.said(conn), "0:readable 0:fin");
    assert_eq!((rig.read(0, conn), rig.saw(Sight::Stopped)), (b"bye".to_vec(), 1));
}

#[test]
fn what_a_process_has_closed_in_order_outlives_it() {
    let mut rig = Rig::new(64);
    let conn = rig.open();
    rig.write(1, conn, b"bye");
    rig.close(1, conn, CloseReason::Fin);
    assert_eq!(rig.kill(1), 0);
    rig.run();
    assert_eq!((rig.said(conn).as_str(), rig.read(0, conn)), ("0:readable 0:fin", b"bye".to_vec()));
}

#[test]
fn a_node_without_power_is_silent_and_answers_a_write_with_a_reset_once_it_runs() {
    let mut rig = Rig::new(64);
    let conn = rig.open();
    assert_eq!(crash(&mut rig, 1), 1);
    rig.run();
    assert_eq!(rig.write(0, conn, b"anybody?"), 8);
    rig.run();
    assert_eq!((rig.said(conn).as_str(), rig.saw(Sight::PowerLost)), ("", 1));
    rig.now += Span::ms(100);
    let booted = rig.now;
    rig.boot(1);
    rig.run();
    assert_eq!((rig.said(conn).as_str(), rig.now), ("0:reset", booted + LATENCY.times(2)));
    assert_eq!(rig.saw(Sight::LateReset), 1);
}

#[test]
fn a_peer_that_does_not_write_never_learns_of_a_reboot() {
    let mut rig = Rig::new(64);
    let conn = rig.open();
    crash(&mut rig, 1);
    rig.boot(1);
    rig.run();
    assert_eq!(rig.said(conn), "");
    rig.write(0, conn, b"now it does");
    rig.run();
    assert_eq!(rig.said(conn), "0:reset");
}

#[test]
fn a_late_reset_waits_for_the_end_of_a_cut() {
    let mut rig = Rig::new(64);
    let conn = rig.open();
    crash(&mut rig, 1);
    rig.boot(1);
    let until = rig.now + Span::ms(20);
    rig.links.get_mut(NodeId(1), NodeId(0)).cut_until = until;
    rig.write(0, conn, b"x");
    rig.run();
    assert_eq!((rig.said(conn).as_str(), rig.now), ("0:reset", until + LATENCY));
}

#[test]
fn what_was_on_the_wire_at_a_power_loss_arrives_unless_it_meets_a_cut() {
    for cut in [false, true] {
        let mut rig = Rig::new(64);
        let conn = rig.open();
        rig.write(1, conn, b"sent");
        crash(&mut rig, 1);
        if cut {
            let until = rig.now + Span::ms(5);
            rig.links.get_mut(NodeId(1), NodeId(0)).cut_until = until;
        }
        rig.run();
        assert_eq!(rig.said(conn), if cut { "" } else { "0:readable" });
    }
}

#[test]
fn a_server_that_is_down_refuses_and_one_without_power_is_silent() {
    let mut rig = Rig::new(64);
    rig.kill(1);
    let conn = rig.connect(0, 1);
    rig.run();
    assert_eq!(rig.said(conn), "0:refused");
    let conn = rig.connect(0, 1);
    crash(&mut rig, 1);
    rig.run();
    assert_eq!((rig.said(conn).as_str(), rig.saw(Sight::DeadServer)), ("", 2));
    rig.now += Span::ms(100);
    rig.boot(1);
    rig.run();
    assert_eq!(rig.said(conn), "1:accepted 0:opened", "the next life takes it");
    let server = rig.conns.ends(conn).unwrap()[1];
    assert_eq!(server, rig.end(1));
    let until = rig.now + Span::ms(20);
    rig.links.get_mut(NodeId(1), NodeId(0)).cut_until = until;
    rig.write(1, conn, b"stalls");
    rig.run();
    assert_eq!(rig.said(conn), "1:accepted 0:opened 0:readable", "and sends again after a cut");
}

#[test]
fn what_counts_is_how_the_server_is_when_the_connect_arrives() {
    let mut rig = Rig::new(64);
    let conn = rig.connect(0, 1);
    rig.kill(1);
    rig.run();
    assert_eq!(rig.said(conn), "0:refused");
    let conn = rig.connect(0, 1);
    let start = rig.now;
    rig.run_for(Span::us(500));
    rig.boot(1);
    rig.run();
    assert_eq!(rig.said(conn), "1:accepted 0:opened");
    assert_eq!(rig.now, start + LATENCY.times(2));
}

#[test]
fn a_connection_of_an_earlier_incarnation_is_of_no_use_to_the_next() {
    let mut rig = Rig::new(64);
    let conn = rig.open();
    rig.kill(1);
    rig.boot(1);
    assert_eq!((rig.write(1, conn, b"x"), rig.read(1, conn)), (0, vec![]));
    rig.close(1, conn, CloseReason::Reset);
    assert_eq!(rig.saw(Sight::Misuse), 3);
}

#[test]
fn nobody_answers_a_client_that_has_lost_its_power() {
    let mut rig = Rig::new(64);
    let conn = rig.connect(0, 1);
    crash(&mut rig, 0);
    rig.run();
    assert_eq!(rig.said(conn), "1:accepted");
    rig.boot(0);
    rig.run();
    assert_eq!(rig.said(conn), "1:accepted 1:reset", "its next life knows nothing of it");
}

#[test]
fn a_process_killed_while_it_connects_is_not_heard_of_or_reset() {
    let mut rig = Rig::new(64);
    let conn = rig.connect(0, 1);
    rig.kill(0);
    rig.run();
    assert_eq!(rig.said(conn), "");
    rig.boot(0);
    let conn = rig.connect(0, 1);
    rig.run_for(LATENCY);
    rig.kill(0);
    rig.run();
    assert_eq!(rig.said(conn), "1:accepted 1:reset");
}

#[test]
fn a_death_on_one_node_leaves_other_connections_alone() {
    let mut rig = Rig::new(64);
    let [struck, other] = [rig.connect(0, 1), rig.connect(0, 2)];
    rig.run();
    rig.events.clear();
    rig.kill(1);
    rig.write(0, other, b"abc");
    rig.run();
    assert_eq!((rig.said(struck).as_str(), rig.said(other).as_str()), ("0:reset", "2:readable"));
}
