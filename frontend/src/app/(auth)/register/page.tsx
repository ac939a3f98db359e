import type { Metadata } from "next";
import { AuthForm } from "@/features/auth/components/auth-form";
import { safeNext } from "@/lib/safe-next";

export const metadata: Metadata = { title: "Sign up" };

export default async function RegisterPage({ searchParams }: PageProps<"/register">) {
  const { next } = await searchParams;
  return <AuthForm mode="register" next={safeNext(next)} expired={false} />;
}
