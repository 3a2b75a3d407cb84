"""The forms of signing in and of passwords."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import BooleanField, EmailField, PasswordField
from wtforms.validators import EqualTo, InputRequired, Length


class LoginForm(FlaskForm):
    email = EmailField("Mail address", [InputRequired("Give your mail address.")])
    password = PasswordField("Password", [InputRequired("Give your password."), Length(max=200)])
    remember = BooleanField("Stay signed in on this device", default=True)


class NewPasswordForm(FlaskForm):
    password = PasswordField("New password", [InputRequired("Choose a password."), Length(max=200)])
    again = PasswordField("The same again", [EqualTo("password", "The two are not the same.")])


class ChangePasswordForm(NewPasswordForm):
    current = PasswordField("Your password now", [InputRequired("Give your password.")])
