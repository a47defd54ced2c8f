//! Tags and the trash of single versions; and what versions cost, from the example.

use base::{Code, Progress, ProjectId};
use store::trash::Item;
use store::{Depth, Digest, Store, datasets, runs, trash};

use crate::world::{World, action, new_run, new_version, project, reopen};

#[path = "../../examples/versions.rs"]
#[expect(dead_code, reason = "its own start is not used here")]
mod example;

/// A dataset with three versions.
fn three(store: &Store) -> (ProjectId, datasets::Dataset, Vec<datasets::DatasetVersion>) {
    let project_id = project(store);
    let contents = ["one", "two", "six"].map(|text| store.objects().put_bytes(text.as_bytes()).unwrap());
    let (dataset, versions) = store
        .write(action(), |w| {
            let dataset = datasets::create(w, &project_id, "iris")?;
            let mut versions = Vec::new();
            for content in contents {
                versions.push(datasets::add_version(w, &dataset.id, new_version(content))?.version);
            }
            Ok((dataset, versions))
        })
        .unwrap();
    (project_id, dataset, versions)
}

fn numbers(store: &Store, dataset: &datasets::Dataset) -> Vec<u32> {
    let versions = store.read(|db| datasets::versions(db, &dataset.id)).unwrap();
    versions.into_iter().map(|version| version.number).collect()
}

#[test]
fn a_tag_moves_from_version_to_version_and_goes() {
    let world = World::new();
    let (_, dataset, versions) = three(&world.store);
    let set = |version: &datasets::DatasetVersion, name: &str| {
        world.store.write(action(), |w| datasets::tags::set(w, &version.id, name))
    };
    assert_eq!(set(&versions[0], "clean").unwrap().number, 1);
    assert_eq!(set(&versions[2], " clean ").unwrap().number, 3);
    set(&versions[0], "2026-q1").unwrap();
    let tags = world.store.read(|db| datasets::tags::list(db, &dataset.id)).unwrap();
    let tags: Vec<_> = tags.iter().map(|tag| (tag.name.as_str(), tag.number)).collect();
    assert_eq!(tags, [("2026-q1", 1), ("clean", 3)]);
    let find = |name: &str| world.store.read(|db| datasets::tags::find(db, &dataset.id, name));
    assert_eq!(find("clean").unwrap(), versions[2]);
    world.store.write(action(), |w| datasets::tags::remove(w, &dataset.id, "clean")).unwrap();
    assert_eq!(find("clean").unwrap_err().code, Code::NotFound);
    let again = world.store.write(action(), |w| datasets::tags::remove(w, &dataset.id, "clean"));
    assert_eq!(again.unwrap_err().code, Code::NotFound);
    for wrong in ["", "3", "v3", "latest", "a b", "../x", "ä"] {
        assert_eq!(set(&versions[0], wrong).unwrap_err().code, Code::InvalidInput, "{wrong}");
    }
}

#[test]
fn a_version_in_the_trash_is_out_of_sight_and_comes_back() {
    let world = World::new();
    let store = &world.store;
    let (_, dataset, versions) = three(store);
    let item = Item::Version(versions[2].id.clone());
    store.write(action(), |w| datasets::tags::set(w, &versions[2].id, "clean")).unwrap();
    let tagged = store.write(action(), |w| trash::put(w, &item));
    assert_eq!(tagged.unwrap_err().code, Code::Conflict, "a tag shows that it is needed");
    store.write(action(), |w| datasets::tags::set(w, &versions[0].id, "clean")).unwrap();

    store.write(action(), |w| trash::put(w, &item)).unwrap();
    assert_eq!(numbers(store, &dataset), [2, 1]);
    assert_eq!(store.read(|db| datasets::latest(db, &dataset.id)).unwrap().unwrap().number, 2);
    let hidden = store.read(|db| datasets::version_numbered(db, &dataset.id, 3));
    assert_eq!(hidden.unwrap_err().code, Code::NotFound);
    assert_eq!(store.read(|db| datasets::version(db, &versions[2].id)).unwrap(), versions[2]);
    let tag = store.write(action(), |w| datasets::tags::set(w, &versions[2].id, "late"));
    assert_eq!(tag.unwrap_err().code, Code::NotFound);
    let trashed = store.read(trash::list).unwrap();
    assert_eq!((trashed[0].name.as_str(), trashed[0].bytes), ("iris version 3", 100));

    store.write(action(), |w| trash::restore(w, &item)).unwrap();
    assert_eq!(numbers(store, &dataset), [3, 2, 1]);
    assert_eq!(store.check(Depth::Full, &Progress::silent()).unwrap().findings, []);
    let unknown = store.write(action(), |w| trash::put(w, &Item::Version(base::VersionId::new())));
    assert_eq!(unknown.unwrap_err().code, Code::NotFound);
}

#[test]
fn an_emptied_version_is_gone_for_good_and_its_number_is_not_given_again() {
    let world = World::new();
    let (project_id, dataset, versions) = three(&world.store);
    let run = world
        .store
        .write(action(), |w| {
            let run = runs::create(w, new_run(&project_id))?;
            runs::add_input(w, &run.id, "read", &versions[0].id)?;
            runs::start(w, &run.id)?;
            runs::finish(w, &run.id, runs::RunState::Done, None)?;
            for version in [&versions[0], &versions[2]] {
                trash::put(w, &Item::Version(version.id.clone()))?;
            }
            Ok(run)
        })
        .unwrap();
    let kept = world.store.empty_trash().unwrap();
    assert_eq!(kept[0].item, Item::Version(versions[0].id.clone()), "run {} stands on it", run.number);
    let (path, dir) = (world.path(), world.close());
    let store = reopen(dir.path());
    assert!(store.collect_garbage(&Progress::silent()).unwrap().freed_objects > 0);
    assert!(!store.objects().has(&Digest::of(b"six")).unwrap());
    assert_eq!(store.check(Depth::Full, &Progress::silent()).unwrap().findings, []);
    drop(store);

    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(path.join(format!("fettle.db{suffix}")));
    }
    let report = Store::repair(&path, crate::world::clock(), &Progress::silent()).unwrap();
    assert_eq!(report.troubles, []);
    let store = reopen(dir.path());
    assert_eq!(numbers(&store, &dataset), [2]);
    assert_eq!(store.read(trash::list).unwrap().len(), 1);
    let content = store.objects().put_bytes(b"ten").unwrap();
    let next = store.write(action(), |w| datasets::add_version(w, &dataset.id, new_version(content)));
    assert_eq!(next.unwrap().version.number, 4);
    assert_eq!(store.check(Depth::Full, &Progress::silent()).unwrap().findings, []);
}

#[test]
fn a_dataset_that_is_emptied_takes_its_tags_along() {
    let world = World::new();
    let (_, dataset, versions) = three(&world.store);
    world
        .store
        .write(action(), |w| {
            datasets::tags::set(w, &versions[0].id, "clean")?;
            datasets::tags::set(w, &versions[1].id, "gone")?;
            datasets::tags::remove(w, &dataset.id, "gone")?;
            trash::put(w, &Item::Dataset(dataset.id.clone()))
        })
        .unwrap();
    assert_eq!(world.store.empty_trash().unwrap(), []);
    let (path, dir) = (world.path(), world.close());
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(path.join(format!("fettle.db{suffix}")));
    }
    let report = Store::repair(&path, crate::world::clock(), &Progress::silent()).unwrap();
    assert_eq!(report.troubles, [], "no tag points to nothing");
    let store = reopen(dir.path());
    assert_eq!(store.read(|db| datasets::get(db, &dataset.id)).unwrap_err().code, Code::NotFound);
    assert_eq!(store.check(Depth::Full, &Progress::silent()).unwrap().findings, []);
}

#[test]
fn a_version_costs_what_changed_as_the_example_measures() {
    let dir = tempfile::tempdir().unwrap();
    let measured = example::measure(dir.path(), 5_000_000, 20).unwrap();
    let pct = |version: &str| measured[version]["pct_of_stored"].as_f64().unwrap();
    // A block has two edges of half a chunk, which weigh ten times as much here as in 50 MB.
    assert!(pct("block") < 8.0 && pct("scattered") < 4.0, "{measured}");
    assert_eq!(measured["folder"]["files"], 20);
}
