"""Microsoft Graph mail through the O365 package: a Mailbox that reads by delta query, a MailSender that sends MIME."""
