// What stands in the audit log, as a sentence. The log itself keeps the name of the action.

/** What an entry says: the action and, in the words of the backend, to what it was done. */
export type Deed = { action: string; subject: string }

/** `penguins: species` in its two parts; the second is empty if there is none. */
function halves(subject: string): [string, string] {
  const at = subject.indexOf(': ')
  return at < 0 ? [subject, ''] : [subject.slice(0, at), subject.slice(at + 2)]
}

/** `penguins v1`, or `v1` where an endpoint has the name of its model. */
function served(endpoint: string, version: string): string {
  return version.startsWith(`${endpoint} v`) ? version.slice(endpoint.length + 1) : version
}

const SENTENCES: Record<string, (subject: string) => string> = {
  'workspace.create': () => 'Created the workspace',
  'workspace.take_over': () => 'Tidied up after work that was cut off',
  'workspace.repair': () => 'Repaired the workspace',
  'workspace.rebuild': () => 'Rebuilt the index of the workspace',
  'workspace.gc': () => 'Freed space in the workspace',
  'trash.empty': () => 'Emptied the trash',
  'settings.set': () => 'Changed the settings',
  'project.new': (name) => `Created project ${name}`,
  'project.open': (name) => `Opened project ${name}`,
  'project.adopt': (name) => `Took in project ${name}`,
  'dataset.import': (name) => `Imported ${name}`,
  'dataset.set_target': (subject) => {
    const [name, target] = halves(subject)
    return target === 'no target' ? `Took the target of ${name} away` : `Set the target of ${name} to ${target}`
  },
  'dataset.tag': (subject) => {
    const [name, tag] = halves(subject)
    return `Tagged a version of ${name} ${tag}`
  },
  'dataset.untag': (subject) => {
    const [name, tag] = halves(subject)
    return `Took the tag ${tag} off ${name}`
  },
  'dataset.set_checks': (name) => `Changed the quality checks of ${name}`,
  'dataset.delete': (name) => `Moved ${name} to the trash`,
  // The subject of these is an id, which says nothing to a reader.
  'trash.restore': () => 'Took something out of the trash',
  'dataset.follow': () => 'Let a dataset follow a file',
  'dataset.unfollow': () => 'Let a dataset follow nothing any more',
  'pipeline.commit': (subject) => {
    const [name, message] = halves(subject)
    return `Committed ${name}: ${message}`
  },
  'pipeline.delete': (name) => `Deleted pipeline ${name}`,
  'pipeline.run': (name) => `Started a run of ${name}`,
  'run.finish': (name) => `A run of ${name} ended`,
  'run.note': (run) => `Wrote a note on ${run}`,
  'run.delete': (run) => `Moved run ${run} to the trash`,
  'run.restore': (run) => `Took run ${run} out of the trash`,
  'run.delete_many': (runs) => `Moved ${runs} to the trash`,
  'run.restore_many': (runs) => `Took ${runs} out of the trash`,
  'run.mark': (runs) => `Marked ${runs}`,
  'run.save_view': (name) => `Saved the view ${name} of the runs`,
  'run.delete_view': (name) => `Removed the view ${name} of the runs`,
  'run.settle': (count) => `Wrote down what scripts logged, ${count} at once`,
  'tracking.import': (name) => `Brought runs from ${name}`,
  'experiment.new': (name) => `Created experiment ${name}`,
  'experiment.rename': (name) => `Renamed experiment ${name}`,
  'experiment.tag': (name) => `Tagged experiment ${name}`,
  'experiment.delete': (name) => `Moved experiment ${name} to the trash`,
  'experiment.restore': (name) => `Took experiment ${name} out of the trash`,
  'model.new': (name) => `Created model ${name}`,
  'model.rename': (name) => `Renamed model ${name}`,
  'model.note': (model) => `Wrote about ${model}`,
  'model.tag': (model) => `Tagged ${model}`,
  'model.stage': (version) => `Changed the stage of ${version}`,
  'model.delete': (name) => `Moved model ${name} to the trash`,
  'model.delete_version': (version) => `Deleted ${version}`,
  'run.reproduce': (run) => `Repeated ${run} from what it recorded`,
  'sweep.start': (name) => `Started sweep ${name}`,
  'sweep.run': (name) => `Began the trials of sweep ${name}`,
  'sweep.trial': (subject) => {
    const at = subject.lastIndexOf(' ')
    return `Recorded trial ${subject.slice(at + 1)} of sweep ${subject.slice(0, at)}`
  },
  'sweep.pause': (name) => `Paused sweep ${name}`,
  'sweep.resume': (name) => `Went on with sweep ${name}`,
  'sweep.finish': (name) => `Sweep ${name} ended`,
  'trigger.add': (name) => `Added trigger ${name}`,
  'trigger.pause': (name) => `Paused trigger ${name}`,
  'trigger.resume': (name) => `Let trigger ${name} go on`,
  'trigger.remove': (name) => `Removed trigger ${name}`,
  'model.register': (name) => `Registered a version of ${name}`,
  'model.promote': (subject) => `Promoted ${subject}`,
  'model.set_tests': (name) => `Changed the tests of ${name}`,
  'model.test': (version) => `Tested ${version}`,
  'model.approve': (version) => `Approved ${version}`,
  'model.withdraw': (version) => `Took back the approval of ${version}`,
  'model.set_card': (name) => `Changed the card of ${name}`,
  'model.passport': (version) => `Wrote the passport of ${version}`,
  'policy.set': (project) => `Changed the policy of ${project}`,
  'deployment.create': (name) => `Created endpoint ${name}`,
  'deployment.revision': (subject) => {
    const [name, version] = halves(subject)
    return `Started ${served(name, version)} for endpoint ${name}`
  },
  'deployment.switch': (subject) => {
    const [name, version] = halves(subject)
    return `Switched ${name} to ${served(name, version)}`
  },
  'deployment.failed': (subject) => {
    const [name, version] = halves(subject)
    return `Could not switch ${name} to ${served(name, version)}`
  },
  'deployment.stop': (name) => `Stopped endpoint ${name}`,
  'deployment.remove': (name) => `Removed endpoint ${name}`,
  // The subject is an id, which says nothing to a reader.
  'deployment.restart': () => 'Restarted an endpoint',
  'deployment.state': (name) => `The state of endpoint ${name} changed`,
  'monitor.silence': (name) => `Silenced the alerts of ${name}, or ended that`,
  'alert.set_channels': () => 'Changed the channels of alerts',
  'monitor.label': (name) => `Told what became of requests of ${name}`,
  'retraining.start': (name) => `Began to retrain ${name}`,
  'retraining.end': (name) => `Retraining ${name} ended`,
  'retraining.propose': (subject) => {
    const [name, version] = halves(subject)
    return `Proposed ${served(name, version)} for ${name}`
  },
  'retraining.deploy': (subject) => {
    const [name, version] = halves(subject)
    return `Put the retrained ${served(name, version)} into service at ${name}`
  },
  'retraining.dismiss': (subject) => {
    const [name, version] = halves(subject)
    return `Dismissed ${served(name, version)}, proposed for ${name}`
  },
  'monitor.set_rules': (name) => `Changed the alert rules of ${name}`,
  'alert.raise': (name) => `Raised an alert for ${name}`,
  'alert.acknowledge': (alert) => `Acknowledged ${alert}`,
}

/** A sentence without a full stop; an action we do not know is called by its name. */
export function deedWords({ action, subject }: Deed): string {
  const words = Object.hasOwn(SENTENCES, action) ? SENTENCES[action] : undefined
  return words === undefined ? `${action}: ${subject}` : words(subject)
}
