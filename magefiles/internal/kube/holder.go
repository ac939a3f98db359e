package kube

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	coordination "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/util/duration"
)

// sighting is what a waiting run saw of a holder: a version of its record, and when that was first seen.
type sighting struct {
	version string
	at      time.Time
}

// holder names the live holder of a lease, if it has one. A holder that was killed is told at once where its process
// would be one of this machine, and otherwise by its record not having changed for as long as it said at most.
func (l *Lease) holder(found *coordination.Lease, seen *sighting) string {
	if seen.version != found.ResourceVersion {
		*seen = sighting{found.ResourceVersion, l.now()}
	}
	holder := holderOf(found)
	switch {
	case holder == l.self: // an answer was lost
		return ""
	case l.machine != "" && found.Annotations[machineAnnotation] == l.machine && !alive(holder):
		return ""
	}
	lasts := leaseDuration
	if s := found.Spec.LeaseDurationSeconds; s != nil {
		lasts = time.Duration(*s) * time.Second
	}
	if l.now().Sub(seen.at) >= lasts {
		return ""
	}
	return holder
}

// atWork is for how long a holder has been at work: what its own clock says up to its last sign of life, and this
// machine's since then.
func (l *Lease) atWork(found *coordination.Lease, seen *sighting) string {
	took := l.now().Sub(seen.at)
	if s := found.Spec; s.AcquireTime != nil && s.RenewTime != nil {
		took += s.RenewTime.Sub(s.AcquireTime.Time)
	}
	return duration.HumanDuration(took)
}

func holderOf(found *coordination.Lease) string {
	if found.Spec.HolderIdentity == nil {
		return ""
	}
	return *found.Spec.HolderIdentity
}

// machine names this machine's space of process IDs for as long as it runs, or nothing where the system does not tell.
func machine() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	space, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(boot)) + " " + space
}

// alive tells whether the process named by a holder's identity runs. Where in doubt, it does.
func alive(identity string) bool {
	parts := strings.Split(identity, ":")
	if len(parts) < 3 {
		return true
	}
	pid, err := strconv.Atoi(parts[len(parts)-2])
	return err != nil || syscall.Kill(pid, 0) != syscall.ESRCH
}
