package kube

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	coordination "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/client-go/kubernetes"
	clientv1 "k8s.io/client-go/kubernetes/typed/coordination/v1"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/ui"
	"todo.local/magefiles/internal/words"
)

const (
	// leaseDuration is how long others wait after the last sign of life of a run before they take over from it.
	leaseDuration = 15 * time.Second
	// leaseDeadline is how long a run goes on without having renewed its lease, counted from before the last renewal
	// that succeeded was sent. It is the shorter one: a run that is cut off has stopped when another takes over.
	leaseDeadline = 10 * time.Second
	leaseRenewal  = 3 * time.Second
	leaseLook     = time.Second      // how often to look whether it is free, or to try a renewal again that failed
	leasePatience = 15 * time.Minute // how long to wait for another run: it may wait for a rollout, and for one back
	// machineAnnotation tells on which machine, and in which space of process IDs, the holder's process ID means
	// something.
	machineAnnotation = "todo.local/machine"
)

// Lease keeps runs, on whatever machine, from working on one release at the same time. It goes by the rules of
// client-go's leader election: no clock is compared with another. Whoever waits measures by its own for how long the
// record has not changed, and takes over when that is longer than the holder said it would be. Leader election itself
// cannot tell what people need to know here: who is waited for, that a right is missing, that a holder of this machine
// is dead, and why a lease was lost.
type Lease struct {
	client    clientv1.LeaseInterface
	namespace string
	name      string
	self      string // this run, and no other: host:pid:random
	machine   string
	now       func() time.Time // this machine's clock, whatever it shows
}

// NewLease is the lease of a release, not yet held. now is this machine's clock, whatever it shows.
func NewLease(client kubernetes.Interface, namespace, release string, now func() time.Time) *Lease {
	host, _ := os.Hostname()
	return &Lease{
		client:    client.CoordinationV1().Leases(namespace),
		namespace: namespace,
		name:      release + "-deploy",
		self:      fmt.Sprintf("%s:%d:%s", host, os.Getpid(), strings.ToLower(rand.Text()[:6])),
		machine:   machine(),
		now:       now,
	}
}

// Hold runs work while this run, and no other on whatever machine, has the lease. One that has it is waited for. Where
// it is lost, work's context ends, and the error is what happened to it.
func (l *Lease) Hold(ctx context.Context, t *ui.Task, work func(context.Context) error) error {
	counts, err := l.acquire(ctx, t)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	kept := make(chan error, 1)
	go func() {
		lost := l.keep(ctx, counts)
		if lost != nil {
			cancel(lost)
		}
		kept <- lost
	}()
	err = work(ctx)
	cancel(nil)
	lost := <-kept
	l.giveBack(ctx)
	if err != nil && lost != nil {
		return lost
	}
	return err
}

// Check tells why this run does not have the lease any more, where that is so.
func (l *Lease) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, leaseDeadline)
	defer cancel()
	_, err := l.mine(ctx)
	var taken *fault.Error
	if err == nil || errors.As(err, &taken) {
		return err
	}
	return l.explain(err)
}

// acquire takes the lease, or waits for the run that holds it. It gives the time that the lease counts from.
func (l *Lease) acquire(ctx context.Context, t *ui.Task) (time.Time, error) {
	began := l.now()
	var seen sighting
	for said := ""; ; {
		sent := l.now()
		holder, since, err := l.try(ctx, &seen)
		switch {
		case ctx.Err() != nil:
			return time.Time{}, ctx.Err()
		case err != nil:
			return time.Time{}, l.explain(err)
		case holder == "":
			return sent, nil
		case sent.Sub(began) > leasePatience:
			return time.Time{}, fault.New(fault.CodeFailed, fmt.Sprintf("another run (%s) has worked on the release for %s", holder, since),
				"wait for it or end it, then run the same command again")
		case holder != said:
			said = holder
			t.Note("another run (%s) works on the release, for %s by now; waiting for it", holder, since)
		}
		t.Status("waiting for another run (%s), at work for %s", holder, since)
		select {
		case <-ctx.Done():
			return time.Time{}, ctx.Err()
		case <-time.After(leaseLook):
		}
	}
}

// try takes the lease if it is free, and names its holder and for how long that has been at work otherwise.
func (l *Lease) try(ctx context.Context, seen *sighting) (holder, since string, err error) {
	ctx, cancel := context.WithTimeout(ctx, leaseDeadline)
	defer cancel()
	found, err := l.client.Get(ctx, l.name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		_, err = l.client.Create(ctx, l.held(&coordination.Lease{ObjectMeta: metav1.ObjectMeta{Name: l.name}}), metav1.CreateOptions{})
	case err != nil:
		return "", "", err
	default:
		if holder := l.holder(found, seen); holder != "" {
			return holder, l.atWork(found, seen), nil
		}
		// The resource version makes the API server refuse this where another run was faster.
		_, err = l.client.Update(ctx, l.held(found), metav1.UpdateOptions{})
	}
	if apierrors.IsAlreadyExists(err) || apierrors.IsConflict(err) {
		return "one that began just now", duration.HumanDuration(0), nil
	}
	return "", "", err
}

// held is the lease with this run as its holder from now on.
func (l *Lease) held(found *coordination.Lease) *coordination.Lease {
	out := found.DeepCopy()
	now := metav1.NewMicroTime(l.now())
	seconds := int32(leaseDuration.Seconds())
	out.Annotations = map[string]string{machineAnnotation: l.machine}
	out.Spec = coordination.LeaseSpec{HolderIdentity: &l.self, LeaseDurationSeconds: &seconds, AcquireTime: &now, RenewTime: &now}
	return out
}

// keep renews the lease, which counts from the given time, until ctx ends. It returns early with why it was lost.
func (l *Lease) keep(ctx context.Context, counts time.Time) error {
	for pause := leaseRenewal; ctx.Err() == nil; {
		select {
		case <-ctx.Done():
			continue
		case <-time.After(min(pause, l.left(counts))):
		}
		sent := l.now()
		err := l.renew(ctx, l.left(counts))
		var taken *fault.Error
		switch {
		case err == nil:
			counts, pause = sent, leaseRenewal
		case ctx.Err() != nil: // that is no failure
		case errors.As(err, &taken):
			return taken
		case l.left(counts) <= 0:
			return fault.New(fault.CodeCluster, fmt.Sprintf("the cluster did not answer for %s, after which another run may work on the release: %s",
				leaseDeadline, words.OneLine(err.Error())), "run the same command again")
		default:
			pause = leaseLook
		}
	}
	return nil
}

// left is for how long a lease that counts from the given time may still be relied on.
func (l *Lease) left(counts time.Time) time.Duration { return leaseDeadline - l.now().Sub(counts) }

// renew tells the others that this run is alive.
func (l *Lease) renew(ctx context.Context, most time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	found, err := l.mine(ctx)
	if err != nil {
		return err
	}
	now := metav1.NewMicroTime(l.now())
	found.Spec.RenewTime = &now
	_, err = l.client.Update(ctx, found, metav1.UpdateOptions{})
	return err
}

// mine is the lease as this run's. Where it is another's, the error is a fault.
func (l *Lease) mine(ctx context.Context) (*coordination.Lease, error) {
	found, err := l.client.Get(ctx, l.name, metav1.GetOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return nil, err
	}
	if err != nil || holderOf(found) != l.self {
		by := "another run"
		if err == nil && holderOf(found) != "" {
			by += " (" + holderOf(found) + ")"
		}
		return nil, fault.New(fault.CodeFailed, by+" took over the release; this one stopped", "run the same command again")
	}
	return found, nil
}

// giveBack frees the lease for others. It works on after ctx has ended, for a moment; one that cannot be given back
// runs out.
func (l *Lease) giveBack(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	for {
		found, err := l.mine(ctx)
		if err != nil {
			return
		}
		found.Spec.HolderIdentity = new(string)
		// A last renewal that ctx cut off may still arrive.
		if _, err := l.client.Update(ctx, found, metav1.UpdateOptions{}); !apierrors.IsConflict(err) {
			return
		}
	}
}

// explain turns an error of the API server's into one line with a remedy.
func (l *Lease) explain(err error) error {
	switch {
	case apierrors.IsForbidden(err):
		return fault.New(fault.CodeCluster, fmt.Sprintf(
			"this user may not use leases in namespace %s, which keep two runs from working on one release: %s", l.namespace, words.OneLine(err.Error())),
			"ask for the rights get, create and update on leases (coordination.k8s.io) in that namespace")
	case apierrors.IsNotFound(err):
		return fault.New(fault.CodeInput, "there is no namespace "+l.namespace+", and so no release in it", "run: go tool mage deploy")
	}
	return Unreachable(err)
}

// Unreachable is an API server that gives no answer.
func Unreachable(err error) error {
	return fault.New(fault.CodeCluster, "the cluster does not answer: "+words.Short(words.OneLine(err.Error()), 500), "run: go tool mage doctor cluster:up")
}
