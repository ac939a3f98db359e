package analysis

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
)

// ingresses finds Ingresses that no controller takes, that lead to nothing, or whose place another has.
func ingresses(s *Snapshot) []Finding {
	var out []Finding
	for i := range s.Ingresses {
		ing := &s.Ingresses[i]
		if ing.Namespace != s.Namespace {
			continue
		}
		object := "ingress/" + ing.Name
		if class := ing.Spec.IngressClassName; class != nil && s.IngressClasses != nil && !slices.Contains(s.IngressClasses, *class) {
			out = append(out, found(IngressClass, object, fmt.Sprintf("ingress %s asks for class %s, which the cluster does not have: nobody serves it", ing.Name, *class), Certain, "",
				Evidence{Object: object, Field: "spec.ingressClassName: " + *class}, Evidence{Object: "ingressclasses", Field: "there are: " + strings.Join(s.IngressClasses, ", ")}))
		}
		for _, rule := range ing.Spec.Rules {
			if rule.HTTP == nil {
				continue
			}
			for _, path := range rule.HTTP.Paths {
				out = append(out, s.leads(object, rule.Host, path)...)
				out = append(out, s.taken(ing, rule.Host, path.Path)...)
			}
		}
	}
	return out
}

// leads is about a path that leads to a Service or a port that is not there.
func (s *Snapshot) leads(object, host string, path networkingv1.HTTPIngressPath) []Finding {
	to := path.Backend.Service
	if to == nil {
		return nil
	}
	evidence := Evidence{Object: object, Field: fmt.Sprintf("rule %s%s leads to service %s, port %s%d", host, path.Path, to.Name, to.Port.Name, to.Port.Number)}
	i := slices.IndexFunc(s.Services, func(svc corev1.Service) bool { return svc.Name == to.Name })
	if i < 0 {
		return []Finding{found(IngressBackend, object, "the ingress leads "+path.Path+" to service "+to.Name+", which does not exist", Certain, "", evidence)}
	}
	svc := s.Services[i]
	for _, p := range svc.Spec.Ports {
		if to.Port.Name != "" && p.Name == to.Port.Name || to.Port.Name == "" && p.Port == to.Port.Number {
			return nil
		}
	}
	return []Finding{found(IngressBackend, object, fmt.Sprintf("the ingress leads %s to port %s%d of service %s, which it does not have", path.Path, to.Port.Name, to.Port.Number, to.Name), Certain, "",
		evidence, Evidence{Object: "service/" + svc.Name, Field: fmt.Sprintf("spec.ports: %d", svc.Spec.Ports[0].Port)})}
}

// taken is about a host and path that an Ingress of somebody else's has as well. Which of them is served is up to the
// controller.
func (s *Snapshot) taken(ing *networkingv1.Ingress, host, path string) []Finding {
	for i := range s.Ingresses {
		other := &s.Ingresses[i]
		if other.Namespace == ing.Namespace && other.Name == ing.Name {
			continue
		}
		for _, rule := range other.Spec.Rules {
			if rule.Host != host || rule.HTTP == nil {
				continue
			}
			for _, p := range rule.HTTP.Paths {
				if p.Path == path {
					return []Finding{found(HostTaken, "ingress/"+ing.Name, fmt.Sprintf("%s%s is claimed by ingress %s of namespace %s as well", host, path, other.Name, other.Namespace), Certain, "",
						Evidence{Object: "ingress/" + ing.Name, Field: "spec.rules: " + host + path},
						Evidence{Object: "ingress/" + other.Namespace + "/" + other.Name, Field: "spec.rules: " + host + path})}
				}
			}
		}
	}
	return nil
}

// soon is how long before its end a certificate is worth a word.
const soon = 7 * 24 * time.Hour

// certificates finds certificates of the Ingresses that are missing, out of date, or for other hosts.
func certificates(s *Snapshot) []Finding {
	if s.Secrets == nil {
		return nil
	}
	var out []Finding
	for i := range s.Ingresses {
		ing := &s.Ingresses[i]
		if ing.Namespace != s.Namespace {
			continue
		}
		for _, tls := range ing.Spec.TLS {
			object := "secret/" + tls.SecretName
			at := Evidence{Object: "ingress/" + ing.Name, Field: "spec.tls: secret " + tls.SecretName}
			j := slices.IndexFunc(s.Secrets, func(f SecretFacts) bool { return f.Name == tls.SecretName })
			if j < 0 {
				out = append(out, found(Missing, object, "the ingress's certificate, Secret "+tls.SecretName+", does not exist", Certain, "", at))
				continue
			}
			out = append(out, s.certificate(object, at, s.Secrets[j].Certificate, tls.Hosts)...)
		}
	}
	return out
}

func (s *Snapshot) certificate(object string, at Evidence, c *CertificateFacts, hosts []string) []Finding {
	day := func(t time.Time) string { return t.UTC().Format(time.DateOnly) }
	switch {
	case c == nil:
		return nil
	case c.Unreadable != "":
		return []Finding{found(Certificate, object, "the certificate in "+object+" cannot be read: "+c.Unreadable, Certain, "", at, Evidence{Object: object, Field: "tls.crt: " + c.Unreadable})}
	case s.Now.After(c.NotAfter):
		return []Finding{found(Certificate, object, "the certificate in "+object+" expired on "+day(c.NotAfter), Certain, "", at, Evidence{Object: object, Field: "notAfter: " + day(c.NotAfter)})}
	case s.Now.Before(c.NotBefore):
		return []Finding{found(Certificate, object, "the certificate in "+object+" is not valid before "+day(c.NotBefore)+": it is new, or a clock is wrong", Certain, "", at,
			Evidence{Object: object, Field: "notBefore: " + day(c.NotBefore)})}
	case c.NotAfter.Sub(s.Now) < soon:
		f := found(Certificate, object, "the certificate in "+object+" expires on "+day(c.NotAfter), Certain, "", at, Evidence{Object: object, Field: "notAfter: " + day(c.NotAfter)})
		f.Warning = true
		return []Finding{f}
	}
	for _, host := range hosts {
		if !slices.ContainsFunc(c.Hosts, func(pattern string) bool { return covers(pattern, host) }) {
			return []Finding{found(CertificateFor, object, "the certificate in "+object+" is not for "+host, Certain, "", at,
				Evidence{Object: object, Field: "subjectAltName: " + strings.Join(c.Hosts, ", ")})}
		}
	}
	return nil
}

// covers tells whether a name of a certificate is for a host.
func covers(pattern, host string) bool {
	if rest, ok := strings.CutPrefix(pattern, "*."); ok {
		_, domain, _ := strings.Cut(host, ".")
		return domain == rest
	}
	return strings.EqualFold(pattern, host)
}
