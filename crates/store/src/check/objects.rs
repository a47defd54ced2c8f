//! The objects: is all there that rows need, is it what was written, and what depends on what is not?

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use base::{Code, Progress, Result};
use rusqlite::Connection;

use super::{CheckReport, Depth, FindingKind};
use crate::objects::short;
use crate::store::Store;
use crate::{Digest, sql};

/// So many are named of what depends on one damage; the rest is counted.
const NAMED: usize = 8;

/// What was found to be damaged, before it is known what depends on it.
#[derive(Default)]
struct Damaged {
    objects: HashSet<Digest>,
    /// Packs with the objects in them.
    packs: BTreeMap<String, HashSet<Digest>>,
}

/// What depends on objects that are damaged, missing, or in a damaged pack.
#[derive(Default)]
struct Dependents {
    /// By object, in the order in which they were found.
    by_object: HashMap<Digest, Vec<usize>>,
    missing: BTreeSet<Digest>,
}

/// An object that rows cannot do without, and whose it is.
struct Needed {
    root: Digest,
    owners: Vec<Owner>,
}

/// Who holds an object (1), or was made from it or runs with it (2); the nearest come first.
type Owner = (u8, String);

pub(super) fn check(
    store: &Store,
    depth: Depth,
    progress: &Progress,
    report: &mut CheckReport,
) -> Result<()> {
    let needed = store.read(needed_objects)?;
    let damaged = match depth {
        Depth::Quick => Damaged::default(),
        Depth::Full => find_damage(store, progress, report)?,
    };
    let dependents = find_dependents(store, &needed, &damaged, progress, report)?;
    for (pack, objects) in &damaged.packs {
        let mut roots: Vec<_> =
            objects.iter().filter_map(|object| dependents.by_object.get(object)).flatten().copied().collect();
        roots.sort_unstable();
        let holds = match told(&needed, &roots) {
            Some(owners) => format!("it holds objects of {owners}"),
            None => "nothing needs what it holds".to_owned(),
        };
        report.add(
            FindingKind::DamagedPack,
            format!("the pack `{}` is not what was written; {holds}", short(pack)),
        );
    }
    let damaged: BTreeSet<_> =
        damaged.objects.difference(&dependents.missing.iter().copied().collect()).copied().collect();
    let kinds = [
        (FindingKind::MissingObject, &dependents.missing, "is missing"),
        (FindingKind::DamagedObject, &damaged, "is not what was written"),
    ];
    for (kind, objects, what) in kinds {
        for digest in objects {
            let roots = dependents.by_object.get(digest).map_or(&[][..], Vec::as_slice);
            let message = match told(&needed, roots) {
                Some(owners) => format!("the object `{}` of {owners} {what}", digest.short()),
                None => format!("the object `{}`, which nothing needs, {what}", digest.short()),
            };
            report.add(kind, message);
        }
    }
    Ok(())
}

/// Reads all there is.
fn find_damage(store: &Store, progress: &Progress, report: &mut CheckReport) -> Result<Damaged> {
    for difference in store.objects().check_index(progress)? {
        report.add(FindingKind::ObjectIndex, format!("the index of the objects is damaged: {difference}"));
    }
    let (damages, bytes) = store.objects().verify(progress)?;
    report.verified_bytes = bytes;
    let mut damaged = Damaged::default();
    for damage in damages {
        match damage.digest {
            Some(digest) => {
                damaged.objects.insert(digest);
            }
            None => {
                let objects = store.objects().in_pack(&damage.pack)?.into_iter().collect();
                damaged.packs.insert(damage.pack, objects);
            }
        }
    }
    Ok(damaged)
}

/// Looks at all that rows need. Only what is wrong is remembered: there can be many objects.
fn find_dependents(
    store: &Store,
    needed: &[Needed],
    damaged: &Damaged,
    progress: &Progress,
    report: &mut CheckReport,
) -> Result<Dependents> {
    let mut found = Dependents::default();
    for (at, Needed { root, owners }) in needed.iter().enumerate() {
        progress.step("looking for objects", at as u64, Some(needed.len() as u64))?;
        let objects = match store.objects().below(root) {
            // What stands below it cannot be told.
            Err(error) if error.code == Code::Corrupt => {
                if !damaged.objects.contains(root) {
                    report.add(FindingKind::DamagedObject, format!("{owner}: {error}", owner = owners[0].1));
                }
                found.by_object.entry(*root).or_default().push(at);
                continue;
            }
            objects => objects?,
        };
        report.needed_objects += objects.len() as u64;
        for (digest, is_there) in objects {
            let is_damaged = damaged.objects.contains(&digest)
                || damaged.packs.values().any(|pack| pack.contains(&digest));
            if !is_there {
                found.missing.insert(digest);
            }
            if !is_there || is_damaged {
                found.by_object.entry(digest).or_default().push(at);
            }
        }
    }
    Ok(found)
}

/// The owners of these roots, in a sentence.
fn told(needed: &[Needed], roots: &[usize]) -> Option<String> {
    let owners: BTreeSet<&Owner> = roots.iter().flat_map(|&at| &needed[at].owners).collect();
    let named: Vec<_> = owners.iter().take(NAMED).map(|(_, owner)| owner.as_str()).collect();
    let sentence = named.join(", ");
    match owners.len() - named.len() {
        0 if named.is_empty() => None,
        0 => Some(sentence),
        rest => Some(format!("{sentence} and {rest} more")),
    }
}

/// The objects that rows cannot do without, and whose they are: who holds it first, then who was
/// made from it or runs with it.
fn needed_objects(db: &Connection) -> Result<Vec<Needed>> {
    let query = "
        select v.content as digest, 1 as nearness,
                'version ' || v.number || ' of the dataset `' || d.name || '`' as owner
            from dataset_versions v join datasets d on d.id = v.dataset_id
        union
        select v.profile, 1, 'the profile of version ' || v.number || ' of the dataset `' || d.name || '`'
            from dataset_versions v join datasets d on d.id = v.dataset_id where v.profile is not null
        union
        select v.package, 1, 'version ' || v.number || ' of the model `' || m.name || '`'
            from model_versions v join models m on m.id = v.model_id
        union
        select pipeline_digest, 1, 'run ' || number || ' of the pipeline `' || pipeline || '`'
            from runs where pipeline_digest is not null
        union
        select v.content, 2, 'run ' || r.number || ' of the pipeline `' || r.pipeline || '`, which read it'
            from run_datasets d join dataset_versions v on v.id = d.version_id join runs r on r.id = d.run_id
        union
        select d.content, 2, 'version ' || v.number || ' of the model `' || m.name || '`, which learned from it'
            from model_versions v join models m on m.id = v.model_id
                join dataset_versions d on d.id = v.dataset_version_id
        union
        select v.package, 2, 'revision ' || r.number || ' of the deployment `' || p.name || '`'
            from revisions r join deployments p on p.id = r.deployment_id
                join model_versions v on v.id = r.model_version_id
        order by 1, 2, 3";
    let rows =
        sql::many(db, query, [], |row| Ok((row.get("digest")?, (row.get("nearness")?, row.get("owner")?))))?;
    let mut needed: Vec<Needed> = Vec::new();
    for (root, owner) in rows {
        match needed.last_mut().filter(|last| last.root == root) {
            Some(last) => last.owners.push(owner),
            None => needed.push(Needed { root, owners: vec![owner] }),
        }
    }
    Ok(needed)
}
