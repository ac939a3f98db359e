package kube

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// LastSeen is when an event was last seen. Newer senders fill in another field than older ones.
func LastSeen(e *corev1.Event) time.Time {
	switch {
	case e.Series != nil:
		return e.Series.LastObservedTime.Time
	case !e.LastTimestamp.IsZero():
		return e.LastTimestamp.Time
	case !e.EventTime.IsZero():
		return e.EventTime.Time
	}
	return e.CreationTimestamp.Time
}
