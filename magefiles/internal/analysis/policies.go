package analysis

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"

	"todo.local/magefiles/internal/app"
)

// party is one end of a connection: pods of this namespace by their labels, or whoever is in another one.
type party struct {
	namespace string            // empty for this one
	labels    map[string]string // of its pods
	name      string            // of its port
}

// policies finds network policies that cut off what the application cannot be without: its database, names, and the way
// in.
func policies(s *Snapshot) []Finding {
	var out []Finding
	backend, database := s.labelsOf(app.Backend), s.labelsOf(app.Postgres)
	if backend != nil && database != nil {
		way := party{labels: database, name: "postgres"}
		out = append(out, s.cut(PolicyDatabase, app.Backend, "its database", backend, way, app.Postgres.Port)...)
		out = append(out, s.shut(PolicyDatabase, app.Postgres, "the backend", database, party{labels: backend}, way.name)...)
	}
	for _, service := range []app.Service{app.Backend, app.Frontend} {
		of := s.labelsOf(service)
		if of == nil {
			continue
		}
		out = append(out, s.cut(PolicyDNS, service, "the cluster's DNS", of, party{namespace: "kube-system"}, 53)...)
		if s.IngressNamespace != "" {
			out = append(out, s.shut(PolicyIngress, service, "the ingress controller", of, party{namespace: s.IngressNamespace}, "http")...)
		}
	}
	return out
}

func (s *Snapshot) labelsOf(service app.Service) map[string]string {
	for _, t := range s.templates() {
		if strings.HasSuffix(t.object, "/"+service.Name) {
			return t.labels
		}
	}
	return nil
}

// cut tells whether policies for egress keep pods from a party's port.
func (s *Snapshot) cut(k Kind, from app.Service, what string, of map[string]string, to party, port int) []Finding {
	var holding []string
	for _, p := range s.NetworkPolicies {
		if !slices.Contains(p.Spec.PolicyTypes, networkingv1.PolicyTypeEgress) || !selects(&p.Spec.PodSelector, of) {
			continue
		}
		holding = append(holding, p.Name)
		for _, rule := range p.Spec.Egress {
			if through(rule.Ports, port, to.name) && admits(rule.To, to) {
				return nil
			}
		}
	}
	return s.closed(k, holding, from.Name+"'s pods do not reach "+what, fmt.Sprintf("spec.egress: nothing allows port %d to it", port))
}

// shut tells whether policies for ingress keep a party from pods' port.
func (s *Snapshot) shut(k Kind, to app.Service, whom string, of map[string]string, from party, name string) []Finding {
	var holding []string
	for _, p := range s.NetworkPolicies {
		// A policy without types is one for ingress.
		if len(p.Spec.PolicyTypes) > 0 && !slices.Contains(p.Spec.PolicyTypes, networkingv1.PolicyTypeIngress) || !selects(&p.Spec.PodSelector, of) {
			continue
		}
		holding = append(holding, p.Name)
		for _, rule := range p.Spec.Ingress {
			if through(rule.Ports, to.Port, name) && admits(rule.From, from) {
				return nil
			}
		}
	}
	return s.closed(k, holding, to.Name+"'s pods are not reached by "+whom, fmt.Sprintf("spec.ingress: nothing allows port %d from it", to.Port))
}

// closed is the finding where policies hold pods and none of them opens the way. Named first is the one that is not the
// release's own.
func (s *Snapshot) closed(k Kind, holding []string, cause, field string) []Finding {
	if len(holding) == 0 {
		return nil
	}
	strange := slices.IndexFunc(holding, func(name string) bool {
		i := slices.IndexFunc(s.NetworkPolicies, func(p networkingv1.NetworkPolicy) bool { return p.Name == name })
		return s.NetworkPolicies[i].Labels["app.kubernetes.io/managed-by"] != "Helm"
	})
	blamed, remedy := holding[max(strange, 0)], "go tool mage deploy   (it puts the chart's policies back)"
	if strange >= 0 {
		remedy = "kubectl delete networkpolicy " + blamed + "   (or let it allow that way)"
	}
	object := "networkpolicy/" + blamed
	return []Finding{found(k, object, cause+": network policy "+blamed+" leaves no way", Likely, remedy, Evidence{Object: object, Field: field},
		Evidence{Object: "networkpolicies", Field: "that hold these pods: " + strings.Join(holding, ", ")})}
}

func selects(selector *metav1.LabelSelector, of map[string]string) bool {
	s, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && s.Matches(labels.Set(of))
}

// through tells whether a rule is for a port. One without ports is for all.
func through(ports []networkingv1.NetworkPolicyPort, port int, name string) bool {
	return len(ports) == 0 || slices.ContainsFunc(ports, func(p networkingv1.NetworkPolicyPort) bool {
		switch {
		case p.Port == nil:
			return true
		case p.Port.Type == intstr.String:
			return p.Port.StrVal == name
		case p.EndPort != nil:
			return p.Port.IntValue() <= port && port <= int(*p.EndPort)
		}
		return p.Port.IntValue() == port
	})
}

// admits tells whether a rule is for a party. One without peers is for everybody; of a block of addresses nobody knows
// who is in it.
func admits(peers []networkingv1.NetworkPolicyPeer, who party) bool {
	return len(peers) == 0 || slices.ContainsFunc(peers, func(p networkingv1.NetworkPolicyPeer) bool {
		if p.IPBlock != nil {
			return true
		}
		if p.NamespaceSelector != nil {
			if who.namespace == "" {
				return true // this one's labels are not looked at
			}
			return selects(p.NamespaceSelector, map[string]string{corev1.LabelMetadataName: who.namespace})
		}
		return who.namespace == "" && p.PodSelector != nil && selects(p.PodSelector, who.labels)
	})
}
