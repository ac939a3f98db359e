package rollout

import (
	"math"
	"time"
)

// Kind is the class of a failure.
type Kind string

// Kinds of failures.
const (
	Image         Kind = "image"         // the image cannot be had
	Config        Kind = "config"        // a Secret, a ConfigMap or a key in one is missing
	Start         Kind = "start"         // the container cannot be started
	Crash         Kind = "crash"         // the container ends again and again
	Init          Kind = "init"          // an init container fails
	Memory        Kind = "memory"        // the container was killed for using more memory than it may
	Probe         Kind = "probe"         // the container runs but does not answer its probe
	Unschedulable Kind = "unschedulable" // no node takes the pod
	Volume        Kind = "volume"        // a volume does not come
	Sandbox       Kind = "sandbox"       // the node cannot set up the pod, its network say
	Quota         Kind = "quota"         // a quota does not allow the pod
	Refused       Kind = "refused"       // a webhook or a policy does not allow the pod
	NodePressure  Kind = "node pressure" // the node runs out of memory or disk
	Timeout       Kind = "timeout"       // none of these: it just took too long
)

// outlook is what becomes of a problem that nobody attends to.
type outlook int

const (
	stuck  outlook = iota // it stays
	unsure                // it may go
	mends                 // what it comes from goes by, and somebody tries again then
)

// untilTimeout is the patience with what mends: the rollout's own timeout, TODO_TIMEOUT, ends it.
const untilTimeout = time.Duration(math.MaxInt64)

// pullAttempts is how often a pull has to end in the same way to count as stuck where its words tell nothing. The
// kubelet tries again after 10 s and then after 20: what goes by within half a minute, such as a registry's restart, is
// outlasted.
const pullAttempts = 3

// kinds says of each kind of failure how long a problem has to last before the rollout is given up for it, by its
// outlook, and what a user can do. A problem that is stuck is given up for within 15 s of being seen.
var kinds = map[Kind]struct {
	stuck, unsure time.Duration
	remedy        string
}{
	Image:  {0, untilTimeout, "check the image's name, and that the cluster holds it or may pull it: go tool mage image:load"},
	Config: {5 * time.Second, time.Minute, "check the names of the Secret and the ConfigMap and their keys; deploy again to have them written"},
	// A container's first failure may be bad luck: it makes unsure, the second one does not.
	Start:  {0, 10 * time.Second, "check the image's command and the chart's securityContext"},
	Crash:  {0, 10 * time.Second, "read the log, correct the cause and deploy again"},
	Init:   {0, 10 * time.Second, "read the log; where it is about the database, check DATABASE_URL and that the database can be reached from the cluster"},
	Memory: {0, 10 * time.Second, "raise resources.limits.memory of the service in the chart's values, or find what uses it"},
	Probe:  {10 * time.Second, time.Minute, "read the log: the service runs, but something that it needs does not answer"},
	// An autoscaler says within a minute whether it has a node for a pod.
	Unschedulable: {10 * time.Second, time.Minute, "lower resources.requests or replicas in the chart's values, or give the cluster more room"},
	NodePressure:  {10 * time.Second, time.Minute, "free disk space or memory on this machine: docker system df, free -h"},
	Volume:        {10 * time.Second, time.Minute, "check that the storage class exists and its provisioner runs; see: go tool mage events"},
	Sandbox:       {10 * time.Second, time.Minute, "see: go tool mage events; starting the node again often helps: go tool mage cluster:down cluster:up"},
	Quota:         {5 * time.Second, time.Minute, "raise the namespace's ResourceQuota, or lower replicas and resources in the chart's values"},
	Refused:       {5 * time.Second, time.Minute, "change what the message names, or the policy that refuses it"},
	Timeout:       {remedy: "see what it was at; a slow machine may need a longer TODO_TIMEOUT"},
}

// patience is how long a problem has to last before the rollout is given up for it.
func (k Kind) patience(o outlook) time.Duration {
	switch o {
	case stuck:
		return kinds[k].stuck
	case unsure:
		return kinds[k].unsure
	}
	return untilTimeout
}
