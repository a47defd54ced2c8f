//! Check, repair, trash and freeing space.

use std::fs;
use std::path::Path;

use crate::world::{World, action, clock, finished_run, furnish, new_version, project, reopen};
use base::{Code, Progress};
use rusqlite::Connection;
use rusqlite::types::Value;
use serde_json::json;
use store::trash::Item;
use store::{Access, Depth, Digest, FindingKind, Store, datasets, drafts, models, projects, runs, trash};

/// Every row of every table that manifests cover.
fn dump(path: &Path) -> Vec<(String, Vec<Vec<Value>>)> {
    let db = Connection::open(path.join("fettle.db")).unwrap();
    let tables = [
        "projects",
        "datasets",
        "dataset_versions",
        "dataset_tags",
        "runs",
        "step_runs",
        "run_datasets",
        "params",
        "metrics",
        "last_metrics",
        "run_origins",
        "run_receipts",
        "sweeps",
        "sweep_trials",
        "models",
        "model_versions",
        "aliases",
        "promotions",
        "model_tests",
        "approvals",
        "deployments",
        "revisions",
        "alert_rules",
        "alerts",
        "settings",
    ];
    let rows = |table: &str| {
        let mut statement = db.prepare(&format!("select * from {table} order by 1, 2")).unwrap();
        let count = statement.column_count();
        let rows = statement.query_map([], |row| (0..count).map(|at| row.get(at)).collect()).unwrap();
        rows.map(Result::unwrap).collect()
    };
    tables.map(|table| (table.to_owned(), rows(table))).to_vec()
}

fn remove_database(path: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(path.join(format!("fettle.db{suffix}")));
    }
}

#[test]
fn a_deleted_database_comes_back_whole() {
    let world = World::new();
    furnish(&world.store);
    let (path, dir) = (world.path(), world.close());
    let before = dump(&path);
    assert!(before.iter().all(|(table, rows)| !rows.is_empty() || table == "run_datasets"), "{before:?}");
    remove_database(&path);

    let error = Store::open(&path, Access::Owner, clock()).unwrap_err();
    assert_eq!(error.code, Code::Corrupt);
    assert!(error.hint.unwrap().contains("repair"));
    let report = Store::repair(&path, clock(), &Progress::silent()).unwrap();
    assert_eq!((report.old_database, report.troubles), (None, vec![]));
    assert_eq!(dump(&path), before);
    let store = reopen(dir.path());
    let check = store.check(Depth::Full, &Progress::silent()).unwrap();
    assert_eq!(check.findings, []);
}

#[test]
fn numbers_go_on_after_a_repair() {
    let world = World::new();
    let project_id = furnish(&world.store);
    let (path, dir) = (world.path(), world.close());
    remove_database(&path);
    Store::repair(&path, clock(), &Progress::silent()).unwrap();
    let store = reopen(dir.path());
    let run = finished_run(&store, &project_id);
    assert_eq!(store.read(|db| runs::get(db, &run)).unwrap().number, 2);
    drop(store);
    remove_database(&path);
    Store::repair(&path, clock(), &Progress::silent()).unwrap();
    let store = reopen(dir.path());
    let model = store.read(|db| models::by_name(db, &project_id, "species")).unwrap().unwrap();
    let alias = store.read(|db| models::find_alias(db, &model.id, "champion")).unwrap().unwrap();
    assert_eq!((alias.number, model.last_number), (2, 2));
}

#[test]
fn a_damaged_database_is_kept_aside_and_gives_what_it_can() {
    let world = World::new();
    let project_id = furnish(&world.store);
    world.store.note(|c| drafts::save(c, &project_id, "species", "format = 1", &json!([]))).unwrap();
    let entries = world.store.read(store::audit::count).unwrap();
    let (path, dir) = (world.path(), world.close());
    let report = Store::repair(&path, clock(), &Progress::silent()).unwrap();
    assert_eq!(report.salvaged_rows, entries + 1, "the audit log and the draft");
    assert!(report.old_database.unwrap().exists());
    let store = reopen(dir.path());
    assert!(store.read(|db| drafts::find(db, &project_id, "species")).unwrap().is_some());
    assert!(store.check(Depth::Full, &Progress::silent()).unwrap().is_clean());
    drop(store);

    fs::write(path.join("fettle.db"), "garbage ".repeat(3_000)).unwrap();
    assert_eq!(Store::open(&path, Access::Owner, clock()).unwrap_err().code, Code::Corrupt);
    Store::repair(&path, clock(), &Progress::silent()).unwrap();
    let store = reopen(dir.path());
    assert_eq!(store.read(projects::list).unwrap().len(), 1);
    assert!(store.check(Depth::Full, &Progress::silent()).unwrap().is_clean());
}

#[test]
fn a_lost_manifest_costs_only_what_stood_on_it() {
    let world = World::new();
    let project_id = furnish(&world.store);
    let (path, dir) = (world.path(), world.close());
    let manifests = path.join("objects/manifests");
    for entry in fs::read_dir(&manifests).unwrap() {
        let entry = entry.unwrap().path();
        if fs::read_to_string(&entry).unwrap().contains(r#""kind":"dataset_version""#) {
            fs::write(&entry, "{}").unwrap();
        }
    }
    remove_database(&path);
    let report = Store::repair(&path, clock(), &Progress::silent()).unwrap();
    assert_eq!(report.troubles[0].code, Code::Corrupt);
    let store = reopen(dir.path());
    let dataset = store.read(|db| datasets::by_name(db, &project_id, "iris")).unwrap().unwrap();
    assert_eq!(store.read(|db| datasets::versions(db, &dataset.id)).unwrap(), []);
    let found = store.check(Depth::Quick, &Progress::silent()).unwrap().findings;
    assert!(found.iter().all(|finding| finding.kind == FindingKind::UnknownManifest), "{found:?}");
}

#[test]
fn a_folder_of_a_project_without_a_manifest_is_taken_in() {
    let world = World::new();
    project(&world.store);
    let (path, dir) = (world.path(), world.close());
    fs::create_dir(path.join("projects/cloned")).unwrap();
    fs::create_dir(path.join("projects/Not A Slug")).unwrap();
    let report = Store::repair(&path, clock(), &Progress::silent()).unwrap();
    assert_eq!(report.adopted_projects, ["cloned"]);
    let slugs: Vec<_> =
        reopen(dir.path()).read(projects::list).unwrap().into_iter().map(|project| project.slug).collect();
    assert_eq!(slugs, ["cloned", "flowers"]);
}

#[test]
fn a_whole_workspace_checks_clean() {
    let world = World::new();
    furnish(&world.store);
    for depth in [Depth::Quick, Depth::Full] {
        let report = world.store.check(depth, &Progress::silent()).unwrap();
        assert_eq!(report.findings, [], "{depth:?}");
        assert!(report.needed_objects > 2 && report.manifests > 8, "{report:?}");
        assert_eq!(report.verified_bytes > 0, depth == Depth::Full);
    }
    let progress = Progress::silent();
    progress.cancel().cancel();
    assert_eq!(world.store.check(Depth::Full, &progress).unwrap_err().code, Code::Cancelled);
}

/// What a full check finds after `damage`.
fn found_after(damage: impl FnOnce(&Path)) -> Vec<FindingKind> {
    let world = World::new();
    furnish(&world.store);
    let (path, dir) = (world.path(), world.close());
    damage(&path);
    let (store, _) = Store::open(&path, Access::Guest, clock()).unwrap();
    let report = store.check(Depth::Full, &Progress::silent()).unwrap();
    let mut kinds: Vec<_> = report.findings.iter().map(|finding| finding.kind).collect();
    kinds.dedup();
    drop(dir);
    kinds
}

fn first_in(dir: &Path) -> std::path::PathBuf {
    let mut paths: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort_by_key(|path| fs::metadata(path).unwrap().len());
    paths.pop().unwrap()
}

fn edit(path: &Path, sql: &str) {
    Connection::open(path.join("fettle.db")).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn each_kind_of_damage_is_found_and_told_apart() {
    use FindingKind as Kind;
    let flip = |path: &Path| {
        let mut bytes = fs::read(path).unwrap();
        let middle = bytes.len() / 3;
        bytes[middle] ^= 4;
        fs::write(path, bytes).unwrap();
    };
    assert_eq!(
        found_after(|path| flip(&first_in(&path.join("objects/packs")))),
        [Kind::DamagedPack, Kind::DamagedObject]
    );
    assert_eq!(
        found_after(|path| fs::remove_file(first_in(&path.join("objects/packs"))).unwrap()),
        [Kind::MissingObject]
    );
    assert_eq!(found_after(|path| flip(&first_in(&path.join("objects/manifests")))), [Kind::DamagedManifest]);
    assert_eq!(
        found_after(|path| fs::remove_file(first_in(&path.join("objects/manifests"))).unwrap()),
        [Kind::MissingManifest]
    );
    assert_eq!(
        found_after(|path| edit(path, "update dataset_versions set rows = 151")),
        [Kind::DifferentRow]
    );
    assert_eq!(
        found_after(|path| edit(path, "pragma foreign_keys = off; delete from runs")),
        [Kind::DanglingRow, Kind::DifferentRow]
    );
    assert_eq!(
        found_after(|path| edit(path, "update audit set actor = 'eve' where id = 2")),
        [Kind::AuditLog]
    );
    assert_eq!(
        found_after(|path| fs::write(path.join("objects/packs/.fettle-tmp-x"), "half").unwrap()),
        [Kind::Leftover]
    );
}

#[test]
fn a_damaged_object_heals_by_repair_and_importing_again() {
    let world = World::new();
    let content = b"a,b\n1,2\n".repeat(100);
    let digest = world.store.objects().put_bytes(&content).unwrap();
    let project_id = project(&world.store);
    world
        .store
        .write(action(), |w| {
            let dataset = datasets::create(w, &project_id, "iris")?;
            datasets::add_version(w, &dataset.id, new_version(digest))
        })
        .unwrap();
    let (path, dir) = (world.path(), world.close());
    let pack = first_in(&path.join("objects/packs"));
    let mut bytes = fs::read(&pack).unwrap();
    bytes[60] ^= 1;
    fs::write(&pack, bytes).unwrap();
    assert_eq!(Store::repair(&path, clock(), &Progress::silent()).unwrap().damaged_objects, 1);
    let store = reopen(dir.path());
    let found = store.check(Depth::Full, &Progress::silent()).unwrap().findings;
    let missing = found.iter().find(|finding| finding.kind == FindingKind::MissingObject).unwrap();
    assert!(missing.message.contains("version 1 of the dataset `iris`"), "{}", missing.message);
    store.objects().put_bytes(&content).unwrap();
    assert_eq!(store.objects().read(&digest).unwrap(), content);
}

#[test]
fn a_manifest_that_a_crash_kept_from_the_disk_is_written_by_the_next_owner() {
    let world = World::new();
    project(&world.store);
    let (path, dir) = (world.path(), world.close());
    let manifest = first_in(&path.join("objects/manifests"));
    let (hash, body) = (manifest.file_stem().unwrap().to_owned(), fs::read_to_string(&manifest).unwrap());
    fs::remove_file(&manifest).unwrap();
    let db = Connection::open(path.join("fettle.db")).unwrap();
    db.execute("update manifests set body = ?2 where hash = ?1", (hash.to_str().unwrap(), &body)).unwrap();
    drop(db);
    let (guest, _) = Store::open(&path, Access::Guest, clock()).unwrap();
    let report = guest.check(Depth::Full, &Progress::silent()).unwrap();
    let kinds: Vec<_> = report.findings.iter().map(|finding| finding.kind).collect();
    assert_eq!(kinds, [FindingKind::PendingManifest]);
    assert!(report.is_clean(), "it puts itself right");
    drop(guest);
    let store = reopen(dir.path());
    assert_eq!(fs::read_to_string(&manifest).unwrap(), body);
    store.write(action(), |_| Ok(())).unwrap();
    assert_eq!(store.check(Depth::Full, &Progress::silent()).unwrap().findings, []);
}

#[test]
fn what_is_in_the_trash_can_come_back_and_what_is_emptied_frees_its_bytes() {
    let world = World::new();
    let project_id = project(&world.store);
    let mut noise = vec![0; 500_000];
    blake3::Hasher::new().finalize_xof().fill(&mut noise);
    let digest = world.store.objects().put_bytes(&noise).unwrap();
    let dataset = world
        .store
        .write(action(), |w| {
            let dataset = datasets::create(w, &project_id, "iris")?;
            datasets::add_version(w, &dataset.id, new_version(digest))?;
            trash::put(w, &Item::Dataset(dataset.id.clone()))?;
            Ok(dataset)
        })
        .unwrap();
    let (path, dir) = (world.path(), world.close());
    let store = reopen(dir.path());
    assert_eq!(store.read(|db| datasets::list(db, &project_id)).unwrap(), []);
    let trashed = store.read(trash::list).unwrap();
    assert_eq!((trashed[0].name.as_str(), trashed[0].bytes), ("iris", 100));
    assert_eq!(store.collect_garbage(&Progress::silent()).unwrap().freed_objects, 0);
    let item = Item::Dataset(dataset.id.clone());
    store.write(action(), |w| trash::restore(w, &item)).unwrap();
    assert_eq!(store.read(|db| datasets::list(db, &project_id)).unwrap().len(), 1);

    store.write(action(), |w| trash::put(w, &item)).unwrap();
    assert_eq!(store.empty_trash().unwrap(), []);
    assert_eq!(store.read(|db| datasets::get(db, &dataset.id)).unwrap_err().code, Code::NotFound);
    let planned = store.plan_garbage_collection(&Progress::silent()).unwrap();
    let freed = store.collect_garbage(&Progress::silent()).unwrap();
    assert_eq!(planned, freed);
    assert!(freed.freed_bytes > 500_000, "{freed:?}");
    assert!(!store.objects().has(&digest).unwrap());
    assert_eq!(store.check(Depth::Full, &Progress::silent()).unwrap().findings, []);
    drop(store);
    remove_database(&path);
    Store::repair(&path, clock(), &Progress::silent()).unwrap();
    let store = reopen(dir.path());
    assert_eq!(store.read(|db| datasets::get(db, &dataset.id)).unwrap_err().code, Code::NotFound);
}

#[test]
fn what_something_stands_on_is_not_emptied() {
    let world = World::new();
    let project_id = furnish(&world.store);
    let store = &world.store;
    let dataset = store.read(|db| datasets::by_name(db, &project_id, "iris")).unwrap().unwrap();
    let model = store.read(|db| models::by_name(db, &project_id, "species")).unwrap().unwrap();
    let deployed = store.write(action(), |w| trash::put(w, &Item::Model(model.id.clone())));
    assert_eq!(deployed.unwrap_err().code, Code::Conflict);
    store.write(action(), |w| trash::put(w, &Item::Dataset(dataset.id.clone()))).unwrap();
    let kept = store.empty_trash().unwrap();
    assert_eq!(kept[0].item, Item::Dataset(dataset.id));
    assert_eq!(store.check(Depth::Full, &Progress::silent()).unwrap().findings, []);
}

#[test]
fn garbage_collection_keeps_all_that_rows_and_manifests_speak_of() {
    let world = World::new();
    furnish(&world.store);
    let (_, dir) = (world.path(), world.close());
    let store = reopen(dir.path());
    let orphan = store.objects().put_bytes(b"nobody needs this").unwrap();
    assert_eq!(store.collect_garbage(&Progress::silent()).unwrap().freed_objects, 0, "it was put just now");
    drop(store);
    let store = reopen(dir.path());
    assert_eq!(store.collect_garbage(&Progress::silent()).unwrap().freed_objects, 1);
    assert!(!store.objects().has(&orphan).unwrap());
    assert!(store.objects().has(&Digest::of(b"a model")).unwrap());
    assert_eq!(store.check(Depth::Full, &Progress::silent()).unwrap().findings, []);
}

#[test]
fn the_folder_of_a_run_goes_with_the_run() {
    let world = World::new();
    let project_id = project(&world.store);
    let run = finished_run(&world.store, &project_id);
    let folder = world.store.run_dir(&run);
    fs::create_dir_all(folder.join("logs")).unwrap();
    world.store.write(action(), |w| trash::put(w, &Item::Run(run.clone()))).unwrap();
    assert!(folder.exists());
    assert_eq!(world.store.empty_trash().unwrap(), []);
    assert!(!folder.exists());
    assert_eq!(world.store.read(|db| runs::get(db, &run)).unwrap_err().code, Code::NotFound);
}

#[test]
fn a_name_that_went_from_one_dataset_to_another_in_one_write_is_rebuilt() {
    let world = World::new();
    let project_id = project(&world.store);
    let (path, dir) = (world.path(), world.dir.path().to_owned());
    for round in 0..8 {
        world
            .store
            .write(action(), |w| {
                let name = format!("iris {round}");
                let old = datasets::create(w, &project_id, &name)?;
                datasets::rename(w, &old.id, &format!("old {name}"))?;
                datasets::create(w, &project_id, &name)
            })
            .unwrap();
    }
    let keep = world.close();
    let before = dump(&path);
    remove_database(&path);
    assert_eq!(Store::repair(&path, clock(), &Progress::silent()).unwrap().troubles, []);
    assert_eq!(dump(&path), before);
    assert_eq!(reopen(&dir).check(Depth::Full, &Progress::silent()).unwrap().findings, []);
    drop(keep);
}

#[test]
fn what_was_emptied_stays_away_though_its_manifests_could_not_be_removed() {
    let world = World::new();
    let project_id = project(&world.store);
    let manifests = world.path().join("objects/manifests");
    let dataset = world.store.write(action(), |w| datasets::create(w, &project_id, "iris")).unwrap();
    world.store.write(action(), |w| trash::put(w, &Item::Dataset(dataset.id.clone()))).unwrap();
    // The crash: what the files were before is what they are after.
    let aside = world.dir.path().join("aside");
    fs::create_dir(&aside).unwrap();
    let copy = |from: &Path, to: &Path| {
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    };
    copy(&manifests, &aside);
    world.store.empty_trash().unwrap();
    let (path, dir) = (world.path(), world.close());
    copy(&aside, &manifests);
    let store = reopen(dir.path());
    assert_eq!(store.check(Depth::Full, &Progress::silent()).unwrap().findings, []);
    drop(store);
    copy(&aside, &manifests);
    remove_database(&path);
    Store::repair(&path, clock(), &Progress::silent()).unwrap();
    let store = reopen(dir.path());
    assert_eq!(store.read(|db| datasets::get(db, &dataset.id)).unwrap_err().code, Code::NotFound);
}
