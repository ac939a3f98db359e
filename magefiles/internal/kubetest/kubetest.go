// Package kubetest is an API server for tests that refuses what a real one refuses: client-go's own fake takes every
// update, so that no test on it can tell a run that looks before it writes from one that overwrites what another has
// written.
package kubetest

import (
	"fmt"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttest "k8s.io/client-go/testing"
)

// NewClientset is a fake cluster that gives every object a resource version and refuses updates of an older one.
func NewClientset(objects ...runtime.Object) *fake.Clientset {
	client := fake.NewClientset(objects...)
	s := &server{tracker: client.Tracker()}
	client.PrependReactor("create", "*", s.create)
	client.PrependReactor("update", "*", s.update)
	client.PrependReactor("patch", "*", s.patch)
	return client
}

// server needs no lock of its own: a fake clientset calls its reactors one after another.
type server struct {
	tracker clienttest.ObjectTracker
	version int
}

func (s *server) create(action clienttest.Action) (bool, runtime.Object, error) {
	create := action.(clienttest.CreateAction)
	if create.GetSubresource() != "" {
		return false, nil, nil
	}
	object, accessor, err := s.next(create.GetObject())
	if err != nil {
		return true, nil, err
	}
	if accessor.GetNamespace() == "" {
		accessor.SetNamespace(create.GetNamespace())
	}
	return true, object, s.tracker.Create(create.GetResource(), object, create.GetNamespace())
}

func (s *server) update(action clienttest.Action) (bool, runtime.Object, error) {
	update := action.(clienttest.UpdateAction)
	resource, namespace := update.GetResource(), update.GetNamespace()
	object, accessor, err := s.next(update.GetObject())
	if err != nil {
		return true, nil, err
	}
	stored, err := s.tracker.Get(resource, namespace, accessor.GetName())
	if err != nil {
		return true, nil, err
	}
	now, err := meta.Accessor(stored)
	if err != nil {
		return true, nil, err
	}
	given, err := meta.Accessor(update.GetObject())
	if err != nil {
		return true, nil, err
	}
	if v := given.GetResourceVersion(); v != "" && v != now.GetResourceVersion() {
		return true, nil, apierrors.NewConflict(resource.GroupResource(), now.GetName(),
			fmt.Errorf("the object has been modified: it is at version %q, the update is of %q", now.GetResourceVersion(), v))
	}
	return true, object, s.tracker.Update(resource, object, namespace)
}

func (s *server) patch(action clienttest.Action) (bool, runtime.Object, error) {
	handled, object, err := clienttest.ObjectReaction(s.tracker)(action)
	if err != nil || !handled {
		return handled, object, err
	}
	object, _, err = s.next(object)
	if err != nil {
		return true, nil, err
	}
	return true, object, s.tracker.Update(action.GetResource(), object, action.GetNamespace(), metav1.UpdateOptions{})
}

// next is a copy of the object with the next resource version.
func (s *server) next(object runtime.Object) (runtime.Object, metav1.Object, error) {
	object = object.DeepCopyObject()
	accessor, err := meta.Accessor(object)
	if err != nil {
		return nil, nil, err
	}
	s.version++
	accessor.SetResourceVersion(strconv.Itoa(s.version))
	return object, accessor, nil
}
