//! The workspace as a whole: doors, audit log, formats.

use std::collections::BTreeSet;
use std::fs;
use std::sync::mpsc;
use std::thread;

use crate::world::{World, action, clock, project, reopen};
use base::{Code, Error};
use rusqlite::Connection;
use store::{Access, Action, Page, Store, Topic, audit, jobs, projects};

#[test]
fn a_write_is_audited_and_announced() {
    let world = World::new();
    world.feed.take();
    let create = Action::new("project.create", "Flowers").with("source", "test").by("ann");
    world.store.write(create, |w| projects::create(w, "Flowers")).unwrap();
    assert_eq!(world.feed.take(), BTreeSet::from([Topic::Projects, Topic::Audit]));
    let log = world.store.read(|db| audit::list(db, Page::first())).unwrap();
    assert_eq!(log.len(), 2);
    assert_eq!((log[0].action.as_str(), log[0].actor.as_str()), ("project.create", "ann"));
    assert_eq!(log[0].prev, log[1].hash);
    assert_eq!(world.store.read(audit::verify).unwrap(), []);
}

#[test]
fn a_failed_write_changes_nothing_and_is_not_announced() {
    let world = World::new();
    world.feed.take();
    let before = world.store.read(audit::count).unwrap();
    let failed = world.store.write(action(), |w| {
        projects::create(w, "Flowers")?;
        Err::<(), _>(Error::invalid("no"))
    });
    assert_eq!(failed.unwrap_err().code, Code::InvalidInput);
    assert_eq!(world.feed.take(), BTreeSet::new());
    assert_eq!(world.store.read(projects::list).unwrap(), []);
    assert_eq!(world.store.read(audit::count).unwrap(), before);
    assert_eq!(fs::read_dir(world.path().join("objects/manifests")).unwrap().count(), 0);
}

#[test]
fn a_panic_in_a_write_rolls_it_back_and_the_next_one_works() {
    let world = World::new();
    let store = world.store.clone();
    let panicked = thread::spawn(move || {
        store.write(action(), |w| {
            projects::create(w, "Lost")?;
            panic!("a test panics on purpose");
            #[expect(unreachable_code, reason = "it gives the closure its type")]
            Ok(())
        })
    });
    assert!(panicked.join().is_err());
    project(&world.store);
    assert_eq!(world.store.read(projects::list).unwrap().len(), 1);
}

#[test]
fn a_reader_does_not_wait_for_a_writer_and_sees_no_half_of_it() {
    let world = World::new();
    let (inside, is_inside) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    let store = world.store.clone();
    let writer = thread::spawn(move || {
        store.write(action(), |w| {
            projects::create(w, "Flowers")?;
            inside.send(()).unwrap();
            may_go_on.recv().unwrap();
            Ok(())
        })
    });
    is_inside.recv().unwrap();
    // This would wait for ever if readers waited for writers.
    assert_eq!(world.store.read(projects::list).unwrap(), []);
    go_on.send(()).unwrap();
    writer.join().unwrap().unwrap();
    assert_eq!(world.store.read(projects::list).unwrap().len(), 1);
}

#[test]
fn a_note_is_announced_and_not_audited() {
    let world = World::new();
    world.feed.take();
    let before = world.store.read(audit::count).unwrap();
    let job = world.store.note(|c| jobs::create(c, "demo", "Demo", &serde_json::json!({}))).unwrap();
    assert_eq!(world.feed.take(), BTreeSet::from([Topic::Jobs]));
    assert_eq!(world.store.read(audit::count).unwrap(), before);
    assert_eq!(world.store.read(|db| jobs::get(db, &job.id)).unwrap(), job);
}

#[test]
fn an_edited_inserted_or_removed_row_of_the_audit_log_shows() {
    for (edit, expected) in [
        ("update audit set details = '{\"rows\":2}' where id = 3", "row 3 of the audit log was changed"),
        ("update audit set at_ms = at_ms + 1 where id = 2", "row 2 of the audit log was changed"),
        ("delete from audit where id = 3", "row 4 of the audit log does not follow"),
    ] {
        let world = World::new();
        for rows in 0..4 {
            world.store.write(action().with("rows", rows), |_| Ok(())).unwrap();
        }
        Connection::open(world.path().join("fettle.db")).unwrap().execute(edit, []).unwrap();
        let troubles = world.store.read(audit::verify).unwrap();
        assert!(troubles[0].message.starts_with(expected), "{troubles:?}");
    }
}

#[test]
fn another_process_is_seen_through_the_data_version() {
    let world = World::new();
    let (guest, guest_feed) = Store::open(&world.path(), Access::Guest, clock()).unwrap();
    let before = world.store.data_version().unwrap();
    assert_eq!(world.store.take_foreign_changes().unwrap(), BTreeSet::new());
    world.store.write(action(), |_| Ok(())).unwrap();
    assert_eq!(world.store.data_version().unwrap(), before, "own commits do not count");
    project(&guest);
    assert_ne!(world.store.data_version().unwrap(), before, "a foreign commit does");
    assert!(world.store.take_foreign_changes().unwrap().contains(&Topic::Projects));
    assert_eq!(world.store.take_foreign_changes().unwrap(), BTreeSet::new());
    assert!(guest_feed.take().contains(&Topic::Projects));
}

#[test]
fn a_newer_workspace_is_refused_and_stays_as_it_is() {
    let world = World::new();
    let path = world.path();
    let dir = world.close();
    let db = Connection::open(path.join("fettle.db")).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    db.close().unwrap();
    let before = fs::read(path.join("fettle.db")).unwrap();
    for access in [Access::Owner, Access::Guest] {
        assert_eq!(Store::open(&path, access, clock()).unwrap_err().code, Code::TooNew);
    }
    assert_eq!(fs::read(path.join("fettle.db")).unwrap(), before);

    fs::write(path.join("workspace.json"), r#"{"format":2}"#).unwrap();
    assert_eq!(Store::open(&path, Access::Guest, clock()).unwrap_err().code, Code::TooNew);
    drop(dir);
}

#[test]
fn a_workspace_is_only_made_where_there_is_room_for_it() {
    let world = World::new();
    assert_eq!(Store::create(&world.path(), clock()).unwrap_err().code, Code::AlreadyExists);
    let full = world.dir.path().join("full");
    fs::create_dir(&full).unwrap();
    fs::write(full.join("thesis.doc"), "mine").unwrap();
    assert_eq!(Store::create(&full, clock()).unwrap_err().code, Code::AlreadyExists);
    assert_eq!(fs::read_dir(&full).unwrap().count(), 1, "nothing was put beside it");
    assert_eq!(Store::open(&full, Access::Guest, clock()).unwrap_err().code, Code::NotFound);
}

#[test]
fn making_a_workspace_can_be_cut_off_and_done_again() {
    let world = World::new();
    let path = world.path();
    let dir = world.close();
    fs::remove_file(path.join("workspace.json")).unwrap();
    fs::write(path.join(".fettle-tmp-1"), "half a marker").unwrap();
    let (store, _) = Store::open_or_create(&path, Access::Owner, clock()).unwrap();
    assert_eq!(store.check(store::Depth::Full, &base::Progress::silent()).unwrap().findings, []);
    drop(store);
    Store::open_or_create(&path, Access::Owner, clock()).unwrap();
    drop(dir);
}

#[test]
fn a_workspace_can_be_moved() {
    let world = World::new();
    let project_id = crate::world::furnish(&world.store);
    let path = world.path();
    let dir = world.close();
    let moved = dir.path().join("elsewhere");
    fs::rename(&path, &moved).unwrap();
    let (store, _) = Store::open(&moved, Access::Owner, clock()).unwrap();
    assert_eq!(store.read(projects::list).unwrap()[0].id, project_id);
    assert!(store.check(store::Depth::Full, &base::Progress::silent()).unwrap().is_clean());
    let old_name = path.to_str().unwrap().as_bytes();
    for file in ["fettle.db", "objects/index.db", "workspace.json", "owner.json"] {
        let bytes = fs::read(moved.join(file)).unwrap();
        assert!(!bytes.windows(old_name.len()).any(|part| part == old_name), "{file}");
    }
}

#[test]
fn what_a_crash_left_behind_is_swept_by_the_next_owner_and_not_by_a_guest() {
    let world = World::new();
    let path = world.path();
    let dir = world.close();
    let leftovers = [
        path.join(".fettle-tmp-1"),
        path.join("objects/packs/.fettle-tmp-2"),
        path.join("objects/manifests/.fettle-tmp-3"),
        path.join("cache/steps/.fettle-tmp-4"),
    ];
    for leftover in &leftovers[..3] {
        fs::write(leftover, "half").unwrap();
    }
    fs::create_dir_all(leftovers[3].join("deep")).unwrap();
    drop(Store::open(&path, Access::Guest, clock()).unwrap());
    assert!(leftovers.iter().all(|leftover| leftover.exists()));
    reopen(dir.path());
    assert!(leftovers.iter().all(|leftover| !leftover.exists()));
}

#[cfg(unix)]
#[test]
fn others_cannot_look_into_a_workspace() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    for dir in ["", "objects", "objects/packs", "cache", "runs", "projects", "endpoints"] {
        let mode = fs::metadata(world.path().join(dir)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{dir}");
    }
}

#[test]
fn a_guest_leaves_an_older_format_to_the_owner() {
    let world = World::new();
    let path = world.path();
    let dir = world.close();
    let db = Connection::open(path.join("fettle.db")).unwrap();
    db.pragma_update(None, "user_version", 0).unwrap();
    drop(db);
    assert_eq!(Store::open(&path, Access::Guest, clock()).unwrap_err().code, Code::Unavailable);
    drop(dir);
}

#[test]
fn a_pack_that_a_guest_is_writing_is_not_swept_by_a_new_owner() {
    let world = World::new();
    let path = world.path();
    let dir = world.close();
    let (guest, _) = Store::open(&path, Access::Guest, clock()).unwrap();
    guest.objects().put_bytes(b"the first of many").unwrap();
    let under_way = path.join("objects/packs/.fettle-tmp-next");
    fs::write(&under_way, "half").unwrap();
    reopen(dir.path());
    assert!(under_way.exists());
    drop(guest);
    reopen(dir.path());
    assert!(!under_way.exists());
}

#[test]
fn a_manifest_that_could_not_be_written_is_written_with_the_next() {
    let world = World::new();
    let manifests = world.path().join("objects/manifests");
    fs::remove_dir(&manifests).unwrap();
    let id = project(&world.store);
    assert!(world.store.read(|db| projects::get(db, &id)).is_ok(), "the commit stands");
    fs::create_dir(&manifests).unwrap();
    world.store.write(action(), |w| projects::create(w, "Other")).unwrap();
    assert_eq!(fs::read_dir(&manifests).unwrap().count(), 2);
    world.store.write(action(), |_| Ok(())).unwrap();
    assert_eq!(world.store.check(store::Depth::Full, &base::Progress::silent()).unwrap().findings, []);
}
