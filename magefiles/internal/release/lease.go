package release

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	coordination "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	clientv1 "k8s.io/client-go/kubernetes/typed/coordination/v1"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/ui"
)

const (
	leaseDuration = 15 * time.Second // how long a run that was killed keeps others out, seen from another machine
	leaseRenewal  = 5 * time.Second
	leasePatience = 5 * time.Minute // how long to wait for another run
	// machineAnnotation tells on which machine, and in which space of process IDs, the holder's process ID means something.
	machineAnnotation = "todo.local/machine"
)

// lease keeps runs, on whatever machine, from working on one release at the same time.
type lease struct {
	client  clientv1.LeaseInterface
	name    string
	self    string // this run: user@host:pid
	machine string
	renewal time.Duration
	now     func() time.Time
}

func (e *Engine) lease(release string) *lease {
	host, _ := os.Hostname()
	return &lease{
		client:  e.client.CoordinationV1().Leases(e.namespace),
		name:    release + "-deploy",
		self:    fmt.Sprintf("%s:%d", host, os.Getpid()),
		machine: machine(),
		renewal: leaseRenewal,
		now:     time.Now,
	}
}

// exclusively runs work while this run holds the release's lease. The context of work ends when the lease is lost.
func (e *Engine) exclusively(ctx context.Context, t *ui.Task, release string, work func(context.Context) error) error {
	l := e.lease(release)
	if err := l.acquire(ctx, t); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		l.renew(ctx, cancel)
	}()
	defer func() {
		cancel(nil)
		<-renewed
		l.release(ctx)
	}()
	err := work(ctx)
	if cause := context.Cause(ctx); err != nil && cause != nil && !errors.Is(cause, ctx.Err()) {
		return cause // it ended because the lease was lost, not because anyone interrupted it
	}
	return err
}

// acquire takes the lease, or waits for the run that holds it.
func (l *lease) acquire(ctx context.Context, t *ui.Task) error {
	deadline := l.now().Add(leasePatience)
	for said := false; ; {
		holder, since, err := l.try(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return unreachable(err)
		case holder == "":
			return nil
		case l.now().After(deadline):
			return fault.New(fault.CodeFailed, fmt.Sprintf("another run (%s) has worked on the release for %s", holder, duration.HumanDuration(l.now().Sub(since))),
				"wait for it or end it, then run the same command again")
		}
		if !said {
			said = true
			t.Note("another run (%s) works on the release; waiting for it", holder)
		}
		t.Status("waiting for another run (%s), at work for %s", holder, duration.HumanDuration(l.now().Sub(since)))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// try takes the lease if it is free, and names its holder and since when otherwise.
func (l *lease) try(ctx context.Context) (holder string, since time.Time, err error) {
	found, err := l.client.Get(ctx, l.name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		_, err = l.client.Create(ctx, l.held(&coordination.Lease{ObjectMeta: metav1.ObjectMeta{Name: l.name}}), metav1.CreateOptions{})
		if apierrors.IsAlreadyExists(err) {
			return "a run that began just now", l.now(), nil
		}
		return "", time.Time{}, err
	}
	if err != nil {
		return "", time.Time{}, err
	}
	if holder := l.holder(found); holder != "" {
		since := l.now()
		if found.Spec.AcquireTime != nil {
			since = found.Spec.AcquireTime.Time
		}
		return holder, since, nil
	}
	// The resource version makes the API server refuse this where another run was faster.
	_, err = l.client.Update(ctx, l.held(found), metav1.UpdateOptions{})
	if apierrors.IsConflict(err) {
		return "a run that began just now", l.now(), nil
	}
	return "", time.Time{}, err
}

// holder names the live holder of a lease, if it has one. A holder that was killed is told by its lease having run out, or at once where its
// process would be one of this machine.
func (l *lease) holder(found *coordination.Lease) string {
	s := found.Spec
	if s.HolderIdentity == nil || *s.HolderIdentity == "" || s.RenewTime == nil || s.LeaseDurationSeconds == nil {
		return ""
	}
	if l.now().After(s.RenewTime.Add(time.Duration(*s.LeaseDurationSeconds) * time.Second)) {
		return ""
	}
	if l.machine != "" && found.Annotations[machineAnnotation] == l.machine && !alive(*s.HolderIdentity) {
		return ""
	}
	return *s.HolderIdentity
}

// held is the lease with this run as its holder from now on.
func (l *lease) held(found *coordination.Lease) *coordination.Lease {
	out := found.DeepCopy()
	now := metav1.NewMicroTime(l.now())
	seconds := int32(leaseDuration.Seconds())
	out.Annotations = map[string]string{machineAnnotation: l.machine}
	out.Spec = coordination.LeaseSpec{HolderIdentity: &l.self, LeaseDurationSeconds: &seconds, AcquireTime: &now, RenewTime: &now}
	return out
}

// renew keeps the lease until ctx ends. Where it cannot be kept, it ends ctx.
func (l *lease) renew(ctx context.Context, lost context.CancelCauseFunc) {
	good := l.now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(l.renewal):
		}
		found, err := l.client.Get(ctx, l.name, metav1.GetOptions{})
		if err == nil {
			if h := found.Spec.HolderIdentity; h == nil || *h != l.self {
				lost(fault.New(fault.CodeFailed, "another run took over the release", "run the same command again"))
				return
			}
			now := metav1.NewMicroTime(l.now())
			found.Spec.RenewTime = &now
			_, err = l.client.Update(ctx, found, metav1.UpdateOptions{})
		}
		switch {
		case err == nil:
			good = l.now()
		case l.now().Sub(good) > leaseDuration:
			lost(unreachable(err))
			return
		}
	}
}

// release gives the lease back. It works on after ctx has ended, for a moment.
func (l *lease) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	found, err := l.client.Get(ctx, l.name, metav1.GetOptions{})
	if err != nil || found.Spec.HolderIdentity == nil || *found.Spec.HolderIdentity != l.self {
		return
	}
	found.Spec.HolderIdentity = new(string)
	// One that cannot be given back runs out.
	_, _ = l.client.Update(ctx, found, metav1.UpdateOptions{})
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
	pid, err := strconv.Atoi(identity[strings.LastIndexByte(identity, ':')+1:])
	if err != nil {
		return true
	}
	return syscall.Kill(pid, 0) != syscall.ESRCH
}
