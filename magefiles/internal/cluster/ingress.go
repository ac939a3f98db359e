package cluster

import (
	"cmp"
	"context"
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"todo.local/magefiles/internal/fault"
)

const (
	usualClass  = "nginx"    // what the chart's Ingress asks for by itself
	ingressName = "todo-app" // the chart's Ingress
)

// installed is what the application's Ingress says, where there is one: the address that the cluster's ingress
// controller reports in it, and its class.
func (e *Existing) installed(ctx context.Context, client kubernetes.Interface) (host, class string, err error) {
	found, err := client.NetworkingV1().Ingresses(e.Namespace).Get(ctx, ingressName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return "", "", nil
	}
	if err != nil {
		return "", "", fault.Wrap(err, fault.CodeCluster, "the Ingress of the application in "+e.Name()+" cannot be read",
			"use a context that may administer the namespace "+e.Namespace)
	}
	if found.Spec.IngressClassName != nil {
		class = *found.Spec.IngressClassName
	}
	for _, at := range found.Status.LoadBalancer.Ingress {
		if host = cmp.Or(at.IP, at.Hostname); host != "" {
			break
		}
	}
	return host, class, nil
}

// class is the IngressClass for the application: the one that was chosen; else that of the installed Ingress, the
// cluster's default or only one, or the usual one.
func (e *Existing) class(ctx context.Context, client kubernetes.Interface, installed string) (string, error) {
	list, err := client.NetworkingV1().IngressClasses().List(ctx, metav1.ListOptions{})
	if apierrors.IsForbidden(err) { // whoever may not look may still deploy
		return cmp.Or(e.Class, installed, usualClass), nil
	}
	if err != nil {
		return "", fault.Wrap(err, fault.CodeCluster, "the ingress classes of "+e.Name()+" cannot be read", "run the target again")
	}
	var all, defaults []string
	for _, c := range list.Items {
		all = append(all, c.Name)
		if c.Annotations[networkingv1.AnnotationIsDefaultIngressClass] == "true" {
			defaults = append(defaults, c.Name)
		}
	}
	has := e.Name() + " has the ingress classes " + strings.Join(all, ", ")
	switch {
	case len(all) == 0:
		return "", fault.New(fault.CodeCluster, e.Name()+" has no IngressClass, so nothing would lead to the application", "install an ingress controller in it")
	case e.Class != "" && !slices.Contains(all, e.Class):
		return "", fault.New(fault.CodeInput, has+", and not "+e.Class, "name one of them in TODO_INGRESS_CLASS")
	case e.Class != "":
		return e.Class, nil
	case slices.Contains(all, installed):
		return installed, nil
	case len(defaults) == 1:
		return defaults[0], nil
	case len(all) == 1:
		return all[0], nil
	case slices.Contains(all, usualClass):
		return usualClass, nil
	}
	return "", fault.New(fault.CodeInput, has+", and none is the default", "name one of them in TODO_INGRESS_CLASS")
}
